// An OpenID provider that nobody of this project wrote, with what SMART App Launch adds: a smart-configuration, scopes, and
// the patient in the token's answer. It listens on loopback; the first line on the standard output tells its FHIR base.
// With MISBEHAVIOUR its answers are spoilt on their way out, as the sandbox does by the same names.

import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';

const PATIENT = 'p1001';
const REDIRECT_URI = 'http://127.0.0.1:8000/callback';
const SCOPES = [
  'openid', 'fhirUser', 'profile', 'offline_access', 'launch', 'launch/patient',
  'patient/*.rs', 'patient/*.read', 'patient/Patient.r', 'patient/Patient.read', 'patient/Observation.s',
  'patient/Observation.read', 'patient/Patient.rs', 'patient/Observation.rs', 'system/Patient.rs', 'system/Observation.rs',
];

const clientKeys = JSON.parse(process.env.CLIENT_JWKS);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signingKey = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };

const person = {
  application_type: 'native',
  redirect_uris: [REDIRECT_URI],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};
const clients = [
  { ...person, client_id: 'public', token_endpoint_auth_method: 'none' },
  { ...person, client_id: 'symmetric', client_secret: 'a-secret', token_endpoint_auth_method: 'client_secret_basic' },
  {
    ...person, client_id: 'asymmetric', jwks: clientKeys,
    token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES384',
  },
  {
    client_id: 'backend', jwks: clientKeys, redirect_uris: [], response_types: [], grant_types: ['client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES384', scope: 'system/Patient.rs system/Observation.rs',
  },
];

const server = http.createServer();
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
const origin = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(origin, {
  clients,
  jwks: { keys: [signingKey] },
  scopes: SCOPES,
  claims: { openid: ['sub'], fhirUser: ['fhirUser'], profile: ['profile'] },
  conformIdTokenClaims: false,
  clientAuthMethods: ['none', 'client_secret_basic', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'] },
  extraParams: ['aud', 'launch', 'person_says'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: (context, client) => client.grantTypeAllowed('refresh_token'),
  ttl: { AccessToken: 300, ClientCredentials: 300, RefreshToken: 3600, IdToken: 300, Grant: 3600, Session: 3600, Interaction: 300 },
  cookies: { keys: [randomUUID()] },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
  },
  findAccount: (context, sub) => ({
    accountId: sub,
    claims: () => ({ sub, fhirUser: `${origin}/fhir/Practitioner/pr2001` }),
  }),
  interactions: { url: (context, interaction) => `/interaction/${interaction.uid}` },
});

// The person logs in and agrees at once, unless the request says that the person says no.
provider.use(async (context, next) => {
  if (!context.path.startsWith('/interaction/')) {
    await next();
    return;
  }
  const { prompt, params, session } = await provider.interactionDetails(context.req, context.res);
  let result = { login: { accountId: 'pr2001' } };
  if (prompt.name === 'consent') {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  if (params.person_says === 'no') {
    result = { error: 'access_denied', error_description: 'the person said no' };
  }
  await provider.interactionFinished(context.req, context.res, result, { mergeWithLastSubmission: true });
  context.respond = false;
});

// An ID token with other claims, or signed otherwise.
function resigned(token, key, header, claims) {
  const read = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const written = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const [oldHeader, oldClaims] = token.split('.');
  const input = `${written({ ...read(oldHeader), ...header })}.${written({ ...read(oldClaims), ...claims })}`;
  return `${input}.${key ? sign('sha256', Buffer.from(input), key).toString('base64url') : ''}`;
}

const another = `${origin}/another`;
const foreignKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const spoilt = {
  WrongState: { callback: (url) => url.searchParams.set('state', 'another') },
  WrongIssuer: { callback: (url) => url.searchParams.set('iss', another) },
  NoS256: { smart: { code_challenge_methods_supported: ['plain'] } },
  WrongNonce: { token: (body) => { body.id_token = resigned(body.id_token, privateKey, {}, { nonce: 'another' }); } },
  ForeignKey: { token: (body) => { body.id_token = resigned(body.id_token, foreignKey(), {}, {}); } },
  AlgNone: { token: (body) => { body.id_token = resigned(body.id_token, null, { alg: 'none' }, {}); } },
  TokenTypeMac: { token: (body) => { body.token_type = 'mac'; } },
  ExpiresInString: { token: (body) => { body.expires_in = String(body.expires_in); } },
  OmitExpiresIn: { token: (body) => { delete body.expires_in; } },
  OmitScope: { token: (body) => { delete body.scope; } },
  OmitPatient: { token: (body) => { delete body.patient; } },
  HtmlToken: { response: (context) => { context.type = 'text/html'; context.body = '<html>Not today.</html>'; } },
  RedirectToken: { response: (context) => { context.redirect(another); context.status = 307; } },
}[process.env.MISBEHAVIOUR] ?? {};
if (process.env.MISBEHAVIOUR && Object.keys(spoilt).length === 0) {
  throw new Error(`nobody knows how to do ${process.env.MISBEHAVIOUR}`);
}

// SMART's context stands beside the token.
provider.use(async (context, next) => {
  await next();
  const { body } = context;
  if (context.path === '/token' && body?.access_token) {
    if (body.scope?.includes('patient/')) {
      body.patient = PATIENT;
    }
    spoilt.token?.(body);
    spoilt.response?.(context);
  }
  const location = context.response.get('location');
  if (spoilt.callback && location.startsWith(REDIRECT_URI)) {
    const url = new URL(location);
    spoilt.callback(url);
    context.set('location', url.href);
  }
});

const smart = {
  issuer: origin,
  jwks_uri: `${origin}/jwks`,
  authorization_endpoint: `${origin}/auth`,
  token_endpoint: `${origin}/token`,
  introspection_endpoint: `${origin}/token/introspection`,
  revocation_endpoint: `${origin}/token/revocation`,
  grant_types_supported: ['authorization_code', 'client_credentials'],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
  scopes_supported: SCOPES,
  capabilities: [
    'launch-standalone', 'launch-ehr', 'client-public', 'client-confidential-symmetric', 'client-confidential-asymmetric',
    'sso-openid-connect', 'context-standalone-patient', 'context-ehr-patient', 'permission-offline', 'permission-patient',
    'permission-v1', 'permission-v2',
  ],
  ...spoilt.smart,
};

const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url === '/fhir/.well-known/smart-configuration') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(smart));
    return;
  }
  answer(request, response);
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdout.write(`${origin}/fhir\n`);
