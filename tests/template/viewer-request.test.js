// deploy/viewer-request.js, run as CloudFront runs it: a script that defines `handler`.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'

const SOURCE = readFileSync(new URL('../../deploy/viewer-request.js', import.meta.url), 'utf8')

/** The headers that go on, of a request with these. */
function after(headers) {
  const values = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, { value }]))
  const event = {
    version: '1.0',
    context: { eventType: 'viewer-request' },
    viewer: { ip: '192.0.2.1' },
    request: { method: 'POST', uri: '/api/chat', querystring: {}, headers: values, cookies: {} },
  }
  const request = JSON.parse(runInNewContext(`${SOURCE}; JSON.stringify(handler(${JSON.stringify(event)}))`))
  assert.deepEqual({ ...request, headers: values }, event.request, 'only headers are touched')
  return Object.fromEntries(Object.entries(request.headers).map(([name, { value }]) => [name, value]))
}

test('a bearer token goes on as x-api-key', () => {
  assert.deepEqual(after({ authorization: 'Bearer k-1' }), { 'x-api-key': 'k-1' })
  assert.deepEqual(after({ authorization: 'bearer   k-1' }), { 'x-api-key': 'k-1' })
  assert.deepEqual(after({ authorization: 'BEARER k=1+/' }), { 'x-api-key': 'k=1+/' })
})

test('an x-api-key goes on as it is', () => {
  assert.deepEqual(after({ 'x-api-key': 'k-2' }), { 'x-api-key': 'k-2' })
})

test('of two keys the bearer token wins, as in the function', () => {
  assert.deepEqual(after({ authorization: 'Bearer k-1', 'x-api-key': 'k-2' }), { 'x-api-key': 'k-1' })
})

test('any other authorization goes no further, and makes no key', () => {
  for (const authorization of ['Basic dTpw', 'Bearer', 'Bearerk-1', 'AWS4-HMAC-SHA256 Credential=a', 'x Bearer k-1', '']) {
    assert.deepEqual(after({ authorization }), {}, authorization)
    assert.deepEqual(after({ authorization, 'x-api-key': 'k-2' }), { 'x-api-key': 'k-2' }, authorization)
  }
})

test('everything else goes on untouched', () => {
  const headers = { host: 'chat.example', 'x-amz-content-sha256': '5e'.repeat(32), 'last-event-id': '7' }
  assert.deepEqual(after(headers), headers)
  assert.deepEqual(after({ ...headers, authorization: 'Bearer k-1' }), { ...headers, 'x-api-key': 'k-1' })
})
