"""The Python binding against a sandbox: python -m unittest discover -s crates/smart-ffi/python"""

import asyncio
import json
import tempfile
import time
import unittest

import smart_on_fhir
from app_store import MovedClock, SqliteStore
from sandbox import Browser, Sandbox, settings
from smart_on_fhir import Credential, EventKind, Parameter, SmartClient, SmartError
from smart_on_fhir.smart_on_fhir import uniffi_set_event_loop


class Case(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox, cls.browser = Sandbox(), Browser()
        cls.addClassCleanup(cls.sandbox.close)
        cls.addClassCleanup(cls.browser.close)

    async def asyncSetUp(self):
        loop = asyncio.get_running_loop()
        uniffi_set_event_loop(loop)
        # UniFFI tells the loop from another thread when a call of the store is done with; the loop's debug mode, which is on in tests, has a
        # message for each.
        loop.set_debug(False)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = f"{folder.name}/sessions.sqlite"
        self.store = SqliteStore(self.path)
        self.addCleanup(self.store.close)

    def app(self, store=None, clock=None, **others):
        given = settings(self.sandbox, self.browser, **others)
        return SmartClient(settings=given, store=store or self.store, clock=clock)

    async def login(self, **options):
        login = await self.app(**options).begin_standalone()
        return await login.complete(callback_url=await self.browser.visit(login.url()))

    async def fails(self, code, work):
        with self.assertRaises(SmartError.Failed) as caught:
            await work
        self.assertEqual(caught.exception.code, code)
        return caught.exception


class Launches(Case):
    async def test_standalone_launch_reads_and_searches(self):
        session = await self.login()
        self.assertEqual(session.patient(), "p1001")
        self.assertEqual(session.fhir_user(), "Practitioner/pr2001")
        self.assertIn("offline_access", session.granted_scopes())
        patient = json.loads(await session.read(resource_type="Patient", id="p1001"))
        self.assertEqual((patient["resourceType"], patient["id"]), ("Patient", "p1001"))
        query = [Parameter(name="patient", value="p1001"), Parameter(name="_count", value="1")]
        pager, found = session.search(resource_type="Observation", parameters=query), []
        while entry := await pager.next():
            found.append(json.loads(entry.json))
        self.assertGreater(len(found), 1)
        self.assertEqual({one["resourceType"] for one in found}, {"Observation"})
        gone = await self.fails("fhir/refused/not-found", session.read(resource_type="Patient", id="nobody"))
        self.assertTrue(gone.endpoint.startswith(self.sandbox.fhir_base))

    async def test_ehr_launch_from_an_allowed_server_only(self):
        app = self.app(scopes="launch openid fhirUser patient/*.rs")
        launch = f"{self.sandbox.launcher}?launch_url={self.browser.app_url('/launch')}"
        opened = await self.browser.visit(launch, "--patient", "Patient/p1002")
        login = await app.begin_ehr(launch_url=opened)
        session = await login.complete(callback_url=await self.browser.visit(login.url()))
        self.assertEqual(session.patient(), "p1002")
        with self.assertRaises(SmartError.Failed) as refused:
            await app.begin_ehr(launch_url="https://app.example/launch?iss=https://evil.example/fhir&launch=1")
        self.assertTrue(refused.exception.code.startswith("launch/"), refused.exception.code)

    async def test_the_app_is_ended_while_the_person_logs_in(self):
        url = (await self.app().begin_standalone()).url()
        callback = await self.browser.visit(url)
        self.store.close()
        self.store = SqliteStore(self.path)
        self.addCleanup(self.store.close)
        session = await self.app().complete(callback_url=callback)
        self.assertEqual(session.patient(), "p1001")
        await self.fails("no-pending-login", self.app().complete(callback_url=callback))

    async def test_wrong_callbacks_are_refused(self):
        app = self.app()
        one, two = await app.begin_standalone(), await app.begin_standalone()
        callback = await self.browser.visit(one.url())
        await self.fails("no-pending-login", two.complete(callback_url=callback))
        forged = f"{self.browser.redirect_uri}?code=x&state=guessed"
        error = await self.fails("no-pending-login", app.complete(callback_url=forged))
        self.assertTrue(error.needs_reauthorization)
        elsewhere = callback.replace("/callback?", "/other?")
        await self.fails("callback/other-url", one.complete(callback_url=elsewhere))

    async def test_the_person_says_no(self):
        login = await self.app().begin_standalone()
        callback = await self.browser.visit(login.url(), "--deny")
        await self.fails("callback/refused/access_denied", login.complete(callback_url=callback))


class Sessions(Case):
    async def test_refresh_restart_and_logout(self):
        session = await self.login()
        await session.refresh()
        key = session.key()
        self.store.close()
        self.store = SqliteStore(self.path)
        self.addCleanup(self.store.close)
        app = self.app()
        self.assertEqual([(s.key, s.fhir_base) for s in await app.sessions()], [(key, self.sandbox.fhir_base)])
        again = await app.restore(key=key)
        await again.refresh()
        self.assertIn("p1001", await again.read(resource_type="Patient", id="p1001"))
        report = await again.logout()
        self.assertIsNone(report.not_revoked)
        self.assertIsNone(report.not_wiped)
        self.assertEqual(await self.store.names(), [])
        with self.assertRaises(SmartError.Failed) as over:
            again.patient()
        self.assertEqual(over.exception.code, "session-over/logged-out")
        self.assertIsNone(await app.restore(key=key))

    async def test_time_moved_by_the_apps_clock_ends_the_session(self):
        clock = MovedClock(int(time.time()))
        session = await self.login(clock=clock)
        events = session.events()
        clock.seconds += 600
        await session.touch()
        clock.seconds += 600
        await session.check()
        clock.seconds += 400
        error = await self.fails("session-over/timed-out", session.check())
        self.assertTrue(error.needs_reauthorization)
        self.assertEqual(session.end_reason(), "timed-out/idle")
        self.assertEqual(await self.app().sessions(), [])
        while (event := await asyncio.wait_for(events.next(), 20)).kind != EventKind.OVER:
            pass
        self.assertEqual(event.reason, "timed-out/idle")

    async def test_a_refresh_that_is_cancelled_is_not_lost(self):
        session = await self.login()
        blob = lambda: {name: self.store._read(name) for name in self.names_of_sessions()}
        before = blob()
        task = asyncio.ensure_future(session.refresh())
        await asyncio.sleep(0)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        for _ in range(200):
            if blob() != before:
                break
            await asyncio.sleep(0.05)
        self.assertNotEqual(blob(), before)
        await session.refresh()
        await (await self.app().restore(key=session.key())).refresh()

    def names_of_sessions(self):
        rows = self.store._connection.execute("SELECT name FROM blobs WHERE name LIKE 'session-%'")
        return [name for (name,) in rows.fetchall()]

    async def test_locked_also_after_a_restart(self):
        session = await self.login()
        await session.lock()
        again = await self.app().restore(key=session.key())
        with self.assertRaises(SmartError.Failed) as locked:
            again.patient()
        self.assertEqual(locked.exception.code, "session-locked")
        await again.unlock()
        self.assertEqual(again.patient(), "p1001")

    async def test_writes(self):
        session = await self.login()
        note = {"resourceType": "Observation", "status": "final", "code": {"text": "weight"}}
        note["subject"] = {"reference": "Patient/p1001"}
        created = await session.create(json=json.dumps(note))
        self.assertEqual(created.status, 201)
        changed = {**note, "id": created.id, "status": "amended"}
        await session.update(json=json.dumps(changed), if_version=created.version)
        late = session.update(json=json.dumps(changed), if_version=created.version)
        error = await self.fails("fhir/refused/precondition-failed", late)
        self.assertFalse(error.may_have_had_effect)
        patch = json.dumps([{"op": "replace", "path": "/status", "value": "corrected"}])
        await session.patch(resource_type="Observation", id=created.id, patch=patch)
        read = json.loads(await session.read(resource_type="Observation", id=created.id))
        self.assertEqual(read["status"], "corrected")
        await session.delete(resource_type="Observation", id=created.id)
        await self.fails("fhir/refused/gone", session.read(resource_type="Observation", id=created.id))


class Stores(Case):
    async def test_the_store_keeps_its_promises(self):
        self.assertEqual(await smart_on_fhir.check_store(self.store), [])
        self.assertEqual(await self.store.names(), [])

    async def test_the_check_finds_a_store_that_does_not(self):
        class Careless(SqliteStore):
            async def compare_and_swap(self, name, expected, new):
                while not await super().compare_and_swap(name, await self.get(name), new):
                    pass
                return True

        careless = Careless(self.path)
        self.addCleanup(careless.close)
        broken = await smart_on_fhir.check_store(careless)
        self.assertTrue(any("20 of 20" in sentence for sentence in broken), broken)

    async def test_what_a_store_throws_is_told_without_its_content(self):
        class Broken(SqliteStore):
            async def get(self, name):
                raise ValueError("topsecret")

        broken = Broken(self.path)
        self.addCleanup(broken.close)
        login = self.app(store=broken).complete(callback_url=f"{self.browser.redirect_uri}?code=x&state=y")
        error = await self.fails("store/unavailable", login)
        self.assertNotIn("topsecret", str(error))

    async def test_two_apps_on_one_store_refresh_once(self):
        session = await self.login()
        other_store = SqliteStore(self.path)
        self.addCleanup(other_store.close)
        others = [await self.app(store=store).restore(key=session.key()) for store in [other_store, self.store]]
        await asyncio.gather(session.refresh(), *(other.refresh() for other in others))
        for one in [session, *others]:
            self.assertIn("p1001", await one.read(resource_type="Patient", id="p1001"))
        await others[0].refresh()


class Secrets(Case):
    async def test_nothing_shows_a_secret(self):
        credential = Credential.secret(secret="topsecret")
        given = settings(self.sandbox, self.browser, client_id="demo-confidential", client_type="confidential-symmetric")
        app = SmartClient(settings=given, credential=credential)
        session = await self.login()
        shown = repr([credential, app, session]) + str(session)
        self.assertNotIn("topsecret", shown)
        with self.assertRaises(SmartError.Failed) as refused:
            SmartClient(settings=json.dumps({"client_id": "a", "scopes": "openid", "client_secret": "topsecret"}))
        self.assertEqual(refused.exception.code, "settings")
        self.assertNotIn("topsecret", str(refused.exception))
        tokens = [name for name in dir(session) if "token" in name]
        self.assertEqual(tokens, [])


if __name__ == "__main__":
    unittest.main()
