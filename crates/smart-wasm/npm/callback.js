// The page under a popup's redirect URI: hands its URL to the page that opened it, and closes. It needs no WebAssembly.

/** The name of the popup's window tells that a page of this package opened it. */
export const POPUP = "smart-on-fhir-login";

/** Whether this page is in a popup that `authorize` opened. */
export function isPopup() {
  return Boolean(window.opener) && window.name === POPUP;
}

/**
 * Hands this page's URL to the window that opened it, which must be of this very origin: with another one the browser delivers
 * nothing. Then closes the popup.
 */
export function handBack() {
  if (!window.opener) return false;
  window.opener.postMessage({ kind: "smart-callback", url: location.href }, location.origin);
  // Code and state must not stay in the history.
  history.replaceState(null, "", location.pathname);
  window.close();
  return true;
}
