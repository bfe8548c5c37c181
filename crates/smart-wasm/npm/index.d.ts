/** A FHIR resource as JSON. */
export interface Resource {
  resourceType: string;
  id?: string;
  [member: string]: unknown;
}

/** A Bundle of resources. */
export interface Bundle extends Resource {
  resourceType: "Bundle";
  entry?: { resource?: Resource; [member: string]: unknown }[];
  link?: { relation: string; url: string }[];
}

/** What a page says of its app. */
export interface AuthorizeOptions {
  /** The client id, as it is registered. A page is a public client: it has no secret. */
  clientId: string;
  /** The scopes to ask for, separated by blanks. */
  scope: string;
  /** Where the browser comes back to, absolute or relative to the page. Default: the page's folder. */
  redirectUri?: string;
  /** The FHIR server of a standalone launch. */
  iss?: string;
  /** The same, as `fhirclient` calls it. */
  fhirServiceUrl?: string;
  /** The FHIR servers that may launch the app, besides `iss`. A launch by any other is refused. */
  allowedIssuers?: string[];
  /** Accepts plain http on loopback hosts: for development. Default: false. */
  allowLoopbackHttp?: boolean;
  /** The name of the IndexedDB database. Default: `smart-on-fhir`. */
  database?: string;
  /** `popup` opens a window for the login, and `authorize` gives the client. Call it from a click. Default: `_self`. */
  target?: "_self" | "popup";
  /** Gives the URL to go to, and stays. Default: false. */
  noRedirect?: boolean;
  /** The size of the popup, in CSS pixels. Default: 600 by 720. */
  width?: number;
  height?: number;
}

/** For a tab that was not itself logged in. */
export interface ReadyOptions extends AuthorizeOptions {
  /** The id of a session of this browser. */
  session?: string;
}

/** What went wrong. */
export interface SmartError extends Error {
  name: "SmartError";
  /** For programs. */
  code:
    | "options" | "no-server" | "launch" | "issuer-not-allowed" | "discovery" | "network"
    | "callback" | "denied" | "no-pending-login" | "token" | "id-token" | "store"
    | "popup-blocked" | "cancelled" | "not-authorized" | "no-session" | "session-over" | "expired"
    | "renewal-delayed" | "no-patient" | "not-supported" | "authorization" | "not-permitted"
    | "refused" | "other-resource" | "outside-base" | "request" | "response" | "error";
  /** Whether the same thing may work a little later. */
  retryable: boolean;
  /** Whether the person has to log in again. */
  loginNeeded: boolean;
  /** The status, where a server refused a request. */
  status?: number;
  /** What the server said. It may hold health data: do not log it. */
  body?: string;
  /** The scope that a request lacks. */
  neededScope?: string;
}

/** The launch context (SMART App Launch). */
export interface LaunchContext {
  patient?: string;
  encounter?: string;
  need_patient_banner?: boolean;
  intent?: string;
  smart_style_url?: string;
  tenant?: string;
  fhirContext?: unknown[];
  [member: string]: unknown;
}

/** What `fhirclient` has in its state, without tokens. */
export interface ClientState {
  serverUrl: string;
  /** The granted scopes. */
  scope: string;
  /** When the access token ends, in seconds since 1970. It is renewed ahead of that, where there is a refresh token. */
  expiresAt: number | null;
  context: LaunchContext;
  canRefresh: boolean;
}

export interface RequestOptions {
  /** How many pages of a Bundle are read; 0 for all, at most 1000. Default: 1. */
  pageLimit?: number;
  /** Gives the resources in place of Bundles. Default: false. */
  flat?: boolean;
  /** Is called with each page. */
  onPage?: (page: Bundle) => void | Promise<void>;
}

export interface LogoutReport {
  /** Whether the server revoked the tokens. */
  revoked: { done: boolean; reason?: string };
  /** Whether the session is gone from this browser. */
  wiped: { done: boolean; reason?: string };
}

export interface InContext {
  readonly id: string | null;
  read<T = Resource>(): Promise<T>;
}

/** The FHIR client of one session. It shows what was granted and to whom, and no token. */
export class Client {
  private constructor();
  /** What tells this session apart from others in this browser; it says nothing of the person. */
  readonly id: string;
  readonly state: ClientState;
  readonly patient: InContext;
  readonly encounter: InContext;
  readonly user: InContext & { readonly fhirUser: string | null; readonly resourceType: string | null };
  /** Why the session is over. */
  readonly endReason: string | undefined;
  getState(): ClientState;
  getState(path: string): unknown;
  getPatientId(): string | null;
  getEncounterId(): string | null;
  getUserId(): string | null;
  getFhirUser(): string | null;
  /** Whether the granted scopes permit a request: advice, the server decides. */
  permits(method: string, path: string): boolean;
  /** Reads one resource. Another one than was asked for is an error. */
  read<T = Resource>(type: string, id: string): Promise<T>;
  /** Sends a request below the FHIR base. */
  request<T = any>(
    request: string | { url: string; method?: string; headers?: Record<string, string>; body?: unknown },
    options?: RequestOptions,
  ): Promise<T>;
  create<T = Resource>(resource: Resource): Promise<T | undefined>;
  update<T = Resource>(resource: Resource, options?: { ifMatch?: string }): Promise<T | undefined>;
  patch<T = Resource>(reference: string, operations: unknown[], options?: { ifMatch?: string }): Promise<T | undefined>;
  delete(reference: string): Promise<unknown>;
  /** Renews the access token now. It is renewed by itself ahead of its end, once for all tabs. */
  refresh(): Promise<Client>;
  /** Revokes the tokens where the server lets it, and wipes the session from this browser in any case. */
  logout(): Promise<LogoutReport>;
}

/** Begins a login and leaves the page. */
export function authorize(options: AuthorizeOptions & { target: "popup" }): Promise<Client>;
export function authorize(options: AuthorizeOptions & { noRedirect: true }): Promise<string>;
export function authorize(options: AuthorizeOptions): Promise<never>;
/** The client of this tab: completes a login after a redirect, finds the session again after a reload. */
export function ready(options?: ReadyOptions): Promise<Client>;
/** `ready` where somebody is logged in or comes back, `authorize` otherwise. */
export function init(options: AuthorizeOptions): Promise<Client>;
/** Loads the WebAssembly; the other functions do so themselves. */
export function loadWasm(source?: string | URL | Request | Response | BufferSource | WebAssembly.Module): Promise<unknown>;
/** For the page under a popup's redirect URI. */
export function handBack(): boolean;

export const oauth2: { authorize: typeof authorize; ready: typeof ready; init: typeof init };
declare const smart: { oauth2: typeof oauth2; authorize: typeof authorize; ready: typeof ready; init: typeof init; loadWasm: typeof loadWasm; Client: typeof Client };
export default smart;
