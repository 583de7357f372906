import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCiphers } from './ciphers.ts'
import { tlsDefaults } from './schema/listener-tls.ts'

for (const list of [
  tlsDefaults.ciphers,
  'HIGH:!aNULL:!MD5',
  'ECDHE+AESGCM:@STRENGTH',
  'DEFAULT:@SECLEVEL=1',
  'HIGH:+ECDHE-RSA-AES128-GCM-SHA256',
]) {
  test(`${list} is taken as it is`, () => assert.equal(checkCiphers(list), list))
}

const refused: [string, RegExp][] = [
  ['ECDHE-RSA-AES128-GCM-SHA265', /did you mean "ECDHE-RSA-AES128-GCM-SHA256"/],
  // OpenSSL would pass over it in silence, and serve the rest.
  ['ECDHE-RSA-AES128-GCM-SHA256:NONSENSE', /"NONSENSE" is no cipher/],
  ['HIGH:!NONSENSE', /"NONSENSE" is no cipher/],
  ['TLS_AES_128_GCM_SHA256', /of TLS 1\.3/],
  ['', /no cipher/],
  ['!aNULL', /leaves no cipher/],
  ['ECDHE-RSA-AES128-GCM-SHA256:!ECDHE', /leaves no cipher/],
  ['HIGH NONSENSE', /"NONSENSE" is no cipher/],
]
for (const [list, why] of refused) {
  test(`${JSON.stringify(list)} is refused`, () => assert.throws(() => checkCiphers(list), why))
}
