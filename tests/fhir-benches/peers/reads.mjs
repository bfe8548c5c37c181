// Reads a patient many times: `node reads.mjs CLIENT BASE COUNT`. Prints the seconds that the reads took, warmed up before.

const [, , name, base, count] = process.argv;

async function reader() {
  if (name === 'fhirclient') {
    const { default: smart } = await import('fhirclient');
    const client = smart({ headers: {} }, {}, {}).client({ serverUrl: base, tokenResponse: { access_token: 'token' } });
    return () => client.request('Patient/1');
  }
  const { Client } = await import('fhir-kit-client');
  const client = new Client({ baseUrl: base, bearerToken: 'token' });
  return () => client.read({ resourceType: 'Patient', id: '1' });
}

const read = await reader();
const some = async (times) => {
  for (let i = 0; i < times; i += 1) {
    const patient = await read();
    if (patient.resourceType !== 'Patient') throw new Error('that is no patient');
  }
};
await some(300);
const begin = process.hrtime.bigint();
await some(Number(count));
console.log(Number(process.hrtime.bigint() - begin) / 1e9);
