"""An app's own store and clock, written in Python: what an app on a phone does with the Keychain or the Keystore."""

import sqlite3
import threading

import smart_on_fhir


class SqliteStore(smart_on_fhir.AppStore):
    """Blobs in a SQLite file.

    It shows how compare-and-swap is kept, also between processes. It does not encrypt: a real app's does, or lies where the platform keeps
    secrets.
    """

    def __init__(self, path):
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=20)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS blobs (name TEXT PRIMARY KEY, octets BLOB NOT NULL)")

    def close(self):
        self._connection.close()

    async def get(self, name):
        with self._guarded():
            return self._read(name)

    async def compare_and_swap(self, name, expected, new):
        with self._guarded():
            if self._read(name) != expected:
                return False
            if new is None:
                self._connection.execute("DELETE FROM blobs WHERE name = ?", (name,))
            else:
                self._connection.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (name, new))
            return True

    async def names(self):
        with self._guarded():
            return [name for (name,) in self._connection.execute("SELECT name FROM blobs")]

    def _read(self, name):
        row = self._connection.execute("SELECT octets FROM blobs WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def _guarded(self):
        return _Transaction(self._lock, self._connection)


class _Transaction:
    """One look and one write as one step: a lock for the threads of this process, a write lock of SQLite for the others."""

    def __init__(self, lock, connection):
        self._lock, self._connection = lock, connection

    def __enter__(self):
        self._lock.acquire()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._lock.release()
            raise _failure(error) from error

    def __exit__(self, kind, error, trace):
        try:
            self._connection.execute("ROLLBACK" if kind else "COMMIT")
        except sqlite3.Error as failed:
            error = error or failed
        finally:
            self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise _failure(error) from error


def _failure(error):
    busy = isinstance(error, sqlite3.OperationalError)
    return smart_on_fhir.StoreFailure.Unavailable(reason=type(error).__name__, is_retryable=busy)


class MovedClock(smart_on_fhir.AppClock):
    """A clock that is moved by hand."""

    def __init__(self, seconds):
        self.seconds = seconds

    def unix_seconds(self):
        return self.seconds
