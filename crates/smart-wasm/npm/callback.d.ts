/** The name of the popup's window. */
export const POPUP: string;
/** Whether this page is in a popup that `authorize` opened. */
export function isPopup(): boolean;
/** Hands this page's URL to the window of the same origin that opened it, and closes. `false`: no window has opened it. */
export function handBack(): boolean;
