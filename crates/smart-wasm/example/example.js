// An app of one page: launched by an EHR, or opened by a person. `config.json` says what it is registered as.
import { oauth2 } from "./smart-on-fhir-web/index.js";

const $ = (id) => document.getElementById(id);
const options = await (await fetch("config.json")).json();

function say(text, failed = false) {
  $("status").textContent = text;
  $("status").classList.toggle("failed", failed);
  $("status").hidden = text === "";
}

function fail(error) {
  say(`${error.code ?? error.name}: ${error.message}`, true);
  $("login").hidden = !error.loginNeeded;
}

const nameOf = ({ given = [], family = "", text }) => text ?? [...given, family].join(" ");

function valueOf({ valueQuantity, component = [] }) {
  const shown = valueQuantity ? [valueQuantity] : component.map((part) => part.valueQuantity).filter(Boolean);
  return `${shown.map((quantity) => quantity.value).join(" / ")} ${shown[0]?.unit ?? ""}`.trim();
}

function row(cells) {
  const tr = document.createElement("tr");
  for (const text of cells) tr.append(Object.assign(document.createElement("td"), { textContent: text }));
  return tr;
}

async function show(client) {
  say("Reading the record …");
  const patient = await client.patient.read();
  const search = new URLSearchParams({ patient: client.patient.id, category: "vital-signs", _sort: "-date", _count: "8" });
  const values = await client.request(`Observation?${search}`, { flat: true });
  $("name").textContent = nameOf(patient.name?.[0] ?? {});
  $("born").textContent = patient.birthDate ?? "unknown";
  $("gender").textContent = patient.gender ?? "unknown";
  $("patient").textContent = client.patient.id;
  $("who").textContent = client.user.fhirUser ?? "";
  $("values").replaceChildren(
    ...values.map((value) => row([value.effectiveDateTime?.slice(0, 10) ?? "", value.code.text ?? value.code.coding?.[0]?.display, valueOf(value)])),
  );
  for (const id of ["record", "who", "logout"]) $(id).hidden = false;
  $("login").hidden = true;
  $("logout").onclick = async () => {
    const report = await client.logout();
    for (const id of ["record", "who", "logout"]) $(id).hidden = true;
    $("login").hidden = false;
    say(report.revoked.done ? "You are signed out." : `Signed out here; the server said: ${report.revoked.reason}`);
  };
  say("");
}

$("redirect").onclick = () => oauth2.authorize(options).catch(fail);
$("popup").onclick = () =>
  oauth2
    .authorize({ ...options, redirectUri: "smart-on-fhir-web/callback.html", target: "popup" })
    .then(show)
    .catch(fail);

const isLaunch = new URLSearchParams(location.search).has("launch");
try {
  await show(await (isLaunch ? oauth2.init(options) : oauth2.ready(options)));
} catch (error) {
  if (error.code === "no-session") {
    say("");
    $("login").hidden = false;
  } else {
    fail(error);
  }
}
