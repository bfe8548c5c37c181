// A file of its own, so that the page needs no inline script.
import { handBack } from "./callback.js";

if (!handBack()) document.querySelector("p").textContent = "Nothing waits for this page. You can close it.";
