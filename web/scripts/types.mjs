// From the server's OpenAPI document (standard input) to the types of our own API's shapes: what it is made from is
// kept beside them, so that a test can tell when they are out of date. Addresses and Mastodon's shapes are left out.
import { writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import openapiTS, { astToString } from 'openapi-typescript';

const { openapi, info, components } = JSON.parse(await text(process.stdin));
const ours = Object.entries(components.schemas).filter(([name]) => !name.startsWith('mastodon.'));
const described = { openapi, info, paths: {}, components: { schemas: Object.fromEntries(ours) } };
const types = astToString(await openapiTS(JSON.stringify(described)));
writeFileSync('openapi.json', `${JSON.stringify(described)}\n`);
writeFileSync('src/lib/api-types.ts', `// Made by \`make types\`.\n${types}`);
