"""A sandbox server, and a person with a browser: the `smart` command is both. And the place where the browser comes back to."""

import asyncio
import contextlib
import http.server
import json
import os
import subprocess
import threading

SMART = os.environ.get("SMART", "smart")


class Sandbox:
    """A SMART server with made-up patients on this machine, until it is closed."""

    def __init__(self):
        command = [SMART, "--json", "sandbox", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        text = ""
        for line in self._process.stdout:
            text += line
            if line.rstrip() == "}":
                break
        told = json.loads(text)
        self.fhir_base, self.launcher = told["fhir_base"], told["launcher"]

    def close(self):
        self._process.terminate()
        self._process.wait(20)
        self._process.stdout.close()


class Browser:
    """The person's browser, and where it comes back to: a port of this machine, as on a desktop."""

    def __init__(self):
        browser = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                browser._arrived = self.path
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(b"<title>Done</title>You can close this window.")

            def log_message(self, *_):
                """A callback holds a code: it is not logged."""

        self._arrived = None
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._origin = f"http://127.0.0.1:{self._server.server_port}"
        self.redirect_uri = f"{self._origin}/callback"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    async def visit(self, url, *options):
        """The person goes there, signs in, and allows the app (or does what the options say). Gives the URL that the app is opened with."""
        command = [SMART, "sandbox", "visit", url, *options]
        pipe = asyncio.subprocess.PIPE
        visit = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        _, told = await asyncio.wait_for(visit.communicate(), 60)
        if visit.returncode != 0 or self._arrived is None:
            raise RuntimeError(told.decode())
        arrived, self._arrived = self._origin + self._arrived, None
        return arrived

    def app_url(self, path):
        return self._origin + path

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def world():
    """Both, as long as the block lasts."""
    sandbox, browser = Sandbox(), Browser()
    try:
        yield sandbox, browser
    finally:
        browser.close()
        sandbox.close()


def settings(sandbox, browser, **others):
    """The settings of the app, as JSON."""
    return json.dumps(
        {
            "client_id": "demo-app",
            "scopes": "launch/patient openid fhirUser offline_access patient/*.cruds",
            "fhir_base": sandbox.fhir_base,
            "redirect_uri": browser.redirect_uri,
            "allowed_issuers": [sandbox.fhir_base],
            "session": {"idle_seconds": 900, "absolute_seconds": 14400},
            "allow_loopback_http": True,
            **others,
        }
    )
