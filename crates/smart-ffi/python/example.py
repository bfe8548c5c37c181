"""A launch, a record, and out again, against a sandbox on this machine.

    SMART=target/debug/smart target/python/bin/python crates/smart-ffi/python/example.py
"""

import asyncio
import json
import tempfile

from app_store import SqliteStore
from sandbox import settings, world
from smart_on_fhir import Parameter, SmartClient, SmartError
from smart_on_fhir.smart_on_fhir import uniffi_set_event_loop


async def main():
    # The store is Python, and the library calls it from threads of its own: this is the loop that answers.
    uniffi_set_event_loop(asyncio.get_running_loop())
    with world() as (sandbox, browser), tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(f"{folder}/sessions.sqlite")
        app = SmartClient(settings=settings(sandbox, browser), store=store)

        login = await app.begin_standalone()
        print(f"open in the browser: {login.url().split('?')[0]}?…")
        session = await login.complete(callback_url=await browser.visit(login.url()))
        print(f"logged in: {session.fhir_user()}, patient {session.patient()}")
        print(f"granted: {session.granted_scopes()}")

        patient = json.loads(await session.read(resource_type="Patient", id=session.patient()))
        print(f"born on {patient['birthDate']}")
        query = [Parameter(name="patient", value=session.patient()), Parameter(name="_sort", value="-date")]
        for text in await session.search(resource_type="Observation", parameters=query).matches(limit=3):
            observation = json.loads(text)
            print(f"  {observation.get('effectiveDateTime')}  {observation['code'].get('text') or observation['code']['coding'][0]['display']}")

        # The app is started anew: what it has is in its store.
        again = SmartClient(settings=settings(sandbox, browser), store=store)
        [stored] = await again.sessions()
        session = await again.restore(key=stored.key)
        await session.refresh()
        print("restored and refreshed after a new start")

        report = await session.logout()
        print(f"logged out: revoked {report.not_revoked is None}, wiped {report.not_wiped is None}")
        try:
            session.patient()
        except SmartError.Failed as error:
            print(f"then: {error.code}, log in again: {error.needs_reauthorization}")
        store.close()


asyncio.run(main())
