// Launches and sessions of a page. What is decided is decided in the WebAssembly; here the page is moved.

import load, { PageApp, cleanedUrl, pageKind } from "./wasm/smart_wasm.js";
import { POPUP, handBack, isPopup } from "./callback.js";
import { Client } from "./client.js";

export { Client, handBack };

/** Under what this tab keeps what it needs after the redirect: options, the id of the tab, the id of the session. No token. */
const TAB = "smart-on-fhir";
/** How long a popup may take, in milliseconds: as long as a login waits. */
const POPUP_TIME = 5 * 60 * 1000;
/** Options that concern the page alone. */
const PAGE_OPTIONS = ["target", "noRedirect", "width", "height", "session"];

/** An error of this package: `code` is for programs, `loginNeeded` and `retryable` say what helps. */
function smartError(code, message) {
  return Object.assign(new Error(message), { name: "SmartError", code, retryable: false, loginNeeded: true });
}

let loading;

/** Loads the WebAssembly; the other functions do so themselves. `source`: where it lies, if not beside this module. */
export function loadWasm(source) {
  loading ??= load(source === undefined ? undefined : { module_or_path: source });
  return loading;
}

function readTab() {
  try {
    return JSON.parse(sessionStorage.getItem(TAB)) ?? {};
  } catch {
    return {};
  }
}

function writeTab(tab) {
  sessionStorage.setItem(TAB, JSON.stringify(tab));
}

/** The options as the WebAssembly takes them. */
function appOptions(options) {
  const { fhirServiceUrl, client_id, redirect_uri, ...rest } = options;
  const own = Object.entries(rest).filter(([name]) => !PAGE_OPTIONS.includes(name));
  const app = Object.fromEntries(own);
  app.clientId ??= client_id;
  app.iss ??= fhirServiceUrl;
  app.redirectUri = new URL(app.redirectUri ?? redirect_uri ?? ".", location.href.split(/[?#]/)[0]).href;
  return JSON.stringify(app);
}

function clientOf(session) {
  return new Client(session, (id) => {
    once = undefined;
    if (readTab().session === id) sessionStorage.removeItem(TAB);
  });
}

/**
 * Begins a login: leaves the page for the authorization server, and comes back to the redirect URI, where `ready` goes on.
 * With `noRedirect` it gives the URL to go to. With `target: "popup"` it opens a window and gives the client.
 */
export async function authorize(options = {}) {
  // Before any wait: a browser opens a window for a click, and not for what comes later.
  const popup = options.target === "popup" ? openPopup(options) : undefined;
  try {
    await loadWasm();
    const given = appOptions(options);
    const app = new PageApp(given);
    if (popup) return await throughPopup(app, given, popup);
    const begun = await app.begin(location.href, readTab().tab);
    // What was open in this tab is left: the next page is about the login that begins.
    writeTab({ options: given, tab: begun.tab });
    once = undefined;
    if (options.noRedirect) return begun.url;
    location.assign(begun.url);
    // The page is being left; what comes after the call must not run.
    return await new Promise(() => {});
  } catch (error) {
    popup?.close();
    throw error;
  }
}

function openPopup({ width = 600, height = 720 }) {
  const left = Math.max(0, screenX + (outerWidth - width) / 2);
  const top = Math.max(0, screenY + (outerHeight - height) / 2);
  const popup = window.open("about:blank", POPUP, `popup,width=${width},height=${height},left=${left},top=${top}`);
  if (!popup) throw smartError("popup-blocked", "the browser opened no window; call authorize from a click");
  return popup;
}

async function throughPopup(app, given, popup) {
  // The popup's login is this page's own: nothing of it lies in the tab's storage, which the popup was given a copy of.
  const begun = await app.begin(location.href, undefined);
  popup.location.replace(begun.url);
  const callback = await new Promise((resolve, reject) => {
    const watch = setInterval(() => popup.closed && end(reject, smartError("cancelled", "the login was given up")), 300);
    const limit = setTimeout(() => end(reject, smartError("cancelled", "the login took too long")), POPUP_TIME);
    const listen = ({ origin, source, data }) => {
      if (origin !== location.origin || source !== popup) return;
      if (data?.kind === "smart-callback" && typeof data.url === "string") end(resolve, data.url);
    };
    function end(settle, value) {
      clearInterval(watch);
      clearTimeout(limit);
      window.removeEventListener("message", listen);
      settle(value);
    }
    window.addEventListener("message", listen);
  });
  const session = await app.complete(begun.tab, callback);
  popup.close();
  writeTab({ options: given, session: session.id() });
  const client = clientOf(session);
  once = Promise.resolve(client);
  return client;
}

let once;

/**
 * The client of this tab: after a redirect it completes the login, after a reload it finds the session again. However often it is
 * called, the work is done once. `options` as for `authorize`, for a tab that was opened with `session`.
 */
export function ready(options) {
  const before = once ?? Promise.resolve();
  const asked = before.then((client) => (isAsked(client, options) ? client : readyNow(options)));
  once = asked;
  asked.catch(() => {
    if (once === asked) once = undefined;
  });
  return asked;
}

/** Whether the client at hand is the one that is asked for: another session's would show another patient. */
function isAsked(client, options) {
  return Boolean(client) && !client.endReason && (!options?.session || options.session === client.id);
}

async function readyNow(options) {
  if (isPopup()) {
    handBack();
    return new Promise(() => {});
  }
  await loadWasm();
  const tab = readTab();
  const kind = pageKind(location.href);
  if (kind === "callback") {
    const callback = location.href;
    history.replaceState(history.state, "", cleanedUrl(callback));
    // Consumed, whatever comes of it.
    writeTab({ options: tab.options });
    const given = tab.options ?? (options && appOptions(options));
    if (!given) throw smartError("no-pending-login", "no login waits in this tab; begin it anew");
    const session = await new PageApp(given).complete(tab.tab ?? "", callback);
    writeTab({ options: given, session: session.id() });
    return clientOf(session);
  }
  // A launch is of a patient of its own: whatever was open before must not be shown for it.
  if (kind === "launch") throw smartError("not-authorized", "the page was launched anew: call authorize");
  const given = options ? appOptions(options) : tab.options;
  const id = options?.session ?? tab.session;
  const session = given && id ? await new PageApp(given).restore(id) : undefined;
  if (!session) {
    writeTab({ options: tab.options });
    throw smartError("no-session", "nobody is logged in in this tab; call authorize");
  }
  writeTab({ options: given, session: id });
  return clientOf(session);
}

/** `ready` where somebody is logged in or comes back from the server, `authorize` otherwise: for a single page that does it all. */
export async function init(options = {}) {
  if (isPopup()) return ready();
  await loadWasm();
  const kind = pageKind(location.href);
  if (kind === "callback") return ready();
  if (kind === "plain" && readTab().session) {
    try {
      return await ready();
    } catch (error) {
      if (!error.loginNeeded) throw error;
    }
  }
  return authorize(options);
}

export const oauth2 = { authorize, ready, init };
export default { oauth2, authorize, ready, init, loadWasm, Client };
