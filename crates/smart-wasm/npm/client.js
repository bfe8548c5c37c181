// A session as a page uses it.

/** How many pages `pageLimit: 0` reads at most. */
const ALL_PAGES = 1000;

const parsed = (text) => (text === "" ? undefined : JSON.parse(text));

/** What is at a path with dots, such as `context.patient`. */
function at(value, path) {
  return path.split(".").reduce((inner, name) => inner?.[name], value);
}

/** The FHIR client of one session. It shows what was granted and to whom, and no token. */
export class Client {
  #session;
  #forget;

  constructor(session, forget) {
    this.#session = session;
    this.#forget = forget;
  }

  #info() {
    return JSON.parse(this.#session.info());
  }

  #one(type, id) {
    return {
      id: id ?? null,
      read: async () => {
        if (!id) throw new Error(`the launch named no ${type}; ask for the scope that brings one`);
        return this.read(type, id);
      },
    };
  }

  /** What tells this session apart from others in this browser; it says nothing of the person. */
  get id() {
    return this.#session.id();
  }

  /** Server, scopes, end of the token, context: what `fhirclient` has in its state, without tokens. */
  get state() {
    const { serverUrl, scope, expiresAt, context, canRefresh } = this.#info();
    return { serverUrl, scope, expiresAt, context, canRefresh };
  }

  /** A part of the state, by a path such as `context.patient`. */
  getState(path) {
    return path ? at(this.state, path) : this.state;
  }

  get patient() {
    return this.#one("Patient", this.#info().context.patient);
  }

  get encounter() {
    return this.#one("Encounter", this.#info().context.encounter);
  }

  get user() {
    const user = this.#info().fhirUser;
    return {
      fhirUser: user?.reference ?? null,
      id: user?.id ?? null,
      resourceType: user?.resourceType ?? null,
      read: async () => {
        if (!user) throw new Error("nobody is known to have logged in; ask for the scopes `openid fhirUser`");
        if (!user.isOnThisServer) throw new Error(`the user is a resource of another server: ${user.url}`);
        return this.read(user.resourceType, user.id);
      },
    };
  }

  getPatientId() {
    return this.patient.id;
  }

  getEncounterId() {
    return this.encounter.id;
  }

  getUserId() {
    return this.user.id;
  }

  getFhirUser() {
    return this.user.fhirUser;
  }

  /** Whether the granted scopes permit a request: advice, the server decides. */
  permits(method, path) {
    return this.#session.permits(method, path);
  }

  /** Reads one resource. Another one than was asked for is an error. */
  async read(type, id) {
    return JSON.parse(await this.#session.read(type, id));
  }

  /**
   * Sends a request below the FHIR base. A text is the URL of a GET; else `{ url, method, headers, body }`.
   *
   * `pageLimit`: how many pages of a Bundle are read, 0 for all (at most 1000). Default 1. `flat`: gives the resources in place of
   * Bundles. `onPage` is called with each page.
   */
  async request(request, { pageLimit = 1, flat = false, onPage } = {}) {
    const { url, method = "GET", headers = {}, body } = typeof request === "string" ? { url: request } : request;
    if (method.toUpperCase() !== "GET" || Object.keys(headers).length > 0) {
      const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const answer = await this.#session.send(method.toUpperCase(), url, JSON.stringify(headers), sent);
      return parsed(answer);
    }
    const limit = pageLimit === 0 ? ALL_PAGES : pageLimit;
    const pages = [];
    const seen = new Set();
    for (let next = url; next !== undefined; ) {
      if (pages.length === limit) {
        if (pageLimit === 0) throw new Error(`the search has more than ${ALL_PAGES} pages; narrow it`);
        break;
      }
      if (seen.has(next)) throw new Error("the pages go round in a loop; the result is incomplete");
      seen.add(next);
      const text = await this.#session.get(next);
      const page = JSON.parse(text);
      await onPage?.(page);
      pages.push(page);
      next = page.resourceType === "Bundle" ? this.#session.nextPage(text) : undefined;
    }
    if (pages[0]?.resourceType !== "Bundle") return pages[0];
    if (flat) return pages.flatMap((page) => (page.entry ?? []).map((entry) => entry.resource));
    return pageLimit === 1 ? pages[0] : pages;
  }

  /** Creates a resource, and gives what the server made of it, where it says so. */
  async create(resource) {
    return parsed(await this.#session.create(JSON.stringify(resource)));
  }

  /** Updates a resource. `ifMatch`: only if that is still its version. */
  async update(resource, { ifMatch } = {}) {
    return parsed(await this.#session.update(JSON.stringify(resource), ifMatch));
  }

  /** Applies a JSON Patch to what a reference (`Type/id`) leads to. `ifMatch`: only if that is still its version. */
  async patch(reference, operations, { ifMatch } = {}) {
    return parsed(await this.#session.patch(reference, JSON.stringify(operations), ifMatch));
  }

  /** Deletes what a reference (`Type/id`) leads to. */
  async delete(reference) {
    return parsed(await this.#session.delete(reference));
  }

  /** Renews the access token now. It is renewed by itself ahead of its end, once for all tabs. */
  async refresh() {
    await this.#session.refresh();
    return this;
  }

  /** Why the session is over, or `undefined`. */
  get endReason() {
    return this.#session.endReason();
  }

  /** Logs out: revokes the tokens at the server where it can be done, and wipes the session from this browser in any case. */
  async logout() {
    this.#forget(this.id);
    return JSON.parse(await this.#session.logout());
  }
}
