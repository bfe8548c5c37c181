// Sealed records in IndexedDB. The data key is made by WebCrypto, cannot be exported, and lies beside what it seals: the
// browser keeps its octets from every script, this one included.
//
// A record's row shows a hash of its name, its version and what is sealed, nothing else. Name and version are bound to the
// sealed octets as associated data, so that a row put in another's place does not open.

const RECORDS = "records";
const KEYS = "keys";
const DATA_KEY = "aes-256-gcm";
// How often a write begins anew since another tab wrote in between.
const TRIES = 5;

class VaultError extends Error {
  constructor(kind, reason) {
    super(reason);
    this.kind = kind;
  }
}

const conflict = () => new VaultError("conflict", "it was changed by somebody else");
const unreadable = () => new VaultError("unreadable", "it cannot be opened with this browser's data key");

/** The outcome of a request, or of a transaction where it has no result of its own. */
function outcome(request) {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new VaultError("unavailable", request.error?.message ?? "IndexedDB gave up"));
    request.onsuccess = () => resolve(request.result);
    request.oncomplete = () => resolve();
    request.onerror = failed;
    request.onabort = failed;
    request.onblocked = () => reject(new VaultError("unavailable", "another tab holds an older version of the database"));
  });
}

/** Does `work` with the open database. It is opened for each call: a page that keeps one open stands in others' way. */
async function withDatabase(name, work) {
  let request;
  try {
    request = indexedDB.open(name, 1);
  } catch (error) {
    throw new VaultError("unavailable", error?.message ?? "there is no IndexedDB");
  }
  request.onupgradeneeded = () => {
    request.result.createObjectStore(RECORDS, { keyPath: "name" });
    request.result.createObjectStore(KEYS);
  };
  const database = await outcome(request);
  try {
    return await work(database);
  } catch (error) {
    throw error instanceof VaultError ? error : new VaultError("unavailable", error?.message ?? "IndexedDB failed");
  } finally {
    database.close();
  }
}

/** One transaction on one object store; `work` may wait for that store's requests only. Written to disk before it ends. */
async function transact(database, store, mode, work) {
  const transaction = database.transaction(store, mode, { durability: "strict" });
  const done = outcome(transaction);
  // What `work` throws is told; that the transaction ends with it is no news.
  done.catch(() => {});
  try {
    const result = await work(transaction.objectStore(store));
    await done;
    return result;
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // It has ended already.
    }
    throw error;
  }
}

/** The data key. The first tab that needs one makes it; of two at a time one wins, and both use that one. */
async function dataKey(database) {
  const held = await transact(database, KEYS, "readonly", (keys) => outcome(keys.get(DATA_KEY)));
  if (held) return held;
  if (!globalThis.crypto?.subtle) {
    throw new VaultError("unavailable", "there is no WebCrypto here: the page has to be on https, or on a loopback host");
  }
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  return transact(database, KEYS, "readwrite", async (keys) => {
    const other = await outcome(keys.get(DATA_KEY));
    if (other) return other;
    await outcome(keys.put(made, DATA_KEY));
    return made;
  });
}

const boundTo = (name, version) => new TextEncoder().encode(`${name}\n${version}`);

async function seal(database, name, version, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const algorithm = { name: "AES-GCM", iv, additionalData: boundTo(name, version) };
  const sealed = await crypto.subtle.encrypt(algorithm, await dataKey(database), value);
  return { name, version, iv, sealed: new Uint8Array(sealed) };
}

async function open(database, row) {
  try {
    const algorithm = { name: "AES-GCM", iv: row.iv, additionalData: boundTo(row.name, row.version) };
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, await dataKey(database), row.sealed));
  } catch (error) {
    throw error instanceof VaultError ? error : unreadable();
  }
}

const row = (database, name) => transact(database, RECORDS, "readonly", (records) => outcome(records.get(name)));

/** A number that no other write has: 53 random bits, what a JavaScript number holds. */
function newVersion() {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1fffff) * 0x100000000 + low;
}

/** The record `name`, or `undefined`. */
export function get(database, name) {
  return withDatabase(database, async (open_) => {
    const found = await row(open_, name);
    return found && { version: found.version, value: await open(open_, found) };
  });
}

/**
 * Writes `value` if `belief` is right ("absent", "version" or "any", with `version` for the second), and gives the new version.
 * A record that cannot be opened counts as absent.
 */
export function put(database, name, value, belief, version) {
  return withDatabase(database, async (open_) => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const before = await row(open_, name);
      if (belief === "version" && before?.version !== version) throw conflict();
      if (belief === "absent" && before && (await opens(open_, before))) throw conflict();
      const sealed = await seal(open_, name, newVersion(), value);
      const written = await transact(open_, RECORDS, "readwrite", async (records) => {
        const now = await outcome(records.get(name));
        if (belief !== "any" && now?.version !== before?.version) return false;
        await outcome(records.put(sealed));
        return true;
      });
      if (written) return sealed.version;
    }
    throw conflict();
  });
}

function opens(database, found) {
  return open(database, found).then(
    () => true,
    (error) => {
      if (error.kind === "unreadable") return false;
      throw error;
    },
  );
}

/** Removes a record if `belief` is right, and tells whether there was one. Of several callers one is told so. */
export function remove(database, name, belief, version) {
  return withDatabase(database, (open_) =>
    transact(open_, RECORDS, "readwrite", async (records) => {
      const found = await outcome(records.get(name));
      if (!found) return false;
      if (belief === "absent" || (belief === "version" && found.version !== version)) throw conflict();
      await outcome(records.delete(name));
      return true;
    }),
  );
}

/** The values of all records that can be opened. */
export function list(database) {
  return withDatabase(database, async (open_) => {
    const rows = await transact(open_, RECORDS, "readonly", (records) => outcome(records.getAll()));
    const values = [];
    for (const found of rows) {
      if (await opens(open_, found)) values.push(await open(open_, found));
    }
    return values;
  });
}

// The Web Locks that this page holds, by name.
const held = new Map();

/** Asks for the right to work on `name` for a while, across all tabs of this origin. A tab that is closed loses it at once. */
export async function lease(name, holder, milliseconds) {
  const mine = held.get(name);
  if (mine) {
    if (mine.holder !== holder) return false;
    clearTimeout(mine.timer);
    mine.timer = setTimeout(mine.done, milliseconds);
    return true;
  }
  if (!navigator.locks) throw new VaultError("unavailable", "this browser has no Web Locks");
  return new Promise((resolve, reject) => {
    const asked = navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) {
        resolve(false);
        return undefined;
      }
      return new Promise((free) => {
        const mine = { holder };
        mine.done = () => {
          clearTimeout(mine.timer);
          if (held.get(name) === mine) held.delete(name);
          free();
        };
        mine.timer = setTimeout(mine.done, milliseconds);
        held.set(name, mine);
        resolve(true);
      });
    });
    asked.catch((error) => reject(new VaultError("unavailable", error?.message ?? "Web Locks failed")));
  });
}

/** Gives the right back. Nothing happens when `holder` does not have it. */
export function release(name, holder) {
  const mine = held.get(name);
  if (mine?.holder === holder) mine.done();
}
