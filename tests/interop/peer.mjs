// A peer of a kilochain network written from docs/formats.md alone, on js-libp2p.
//
// Reads {address, chain_id, seed, genesis, transaction} as JSON from its standard input and writes
// one JSON line for each thing that it has seen. It ends when its standard input does, or with
// {"refused": reason} when it is not let in.

import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

// Node 20 does not have what the libraries use.
Promise.withResolvers ??= () => {
  const it = {}
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }))
  return it
}
const { createLibp2p } = await import('libp2p')
const { tcp } = await import('@libp2p/tcp')
const { noise } = await import('@chainsafe/libp2p-noise')
const { yamux } = await import('@chainsafe/libp2p-yamux')
const { identify } = await import('@libp2p/identify')
const { gossipsub } = await import('@libp2p/gossipsub')
const { generateKeyPairFromSeed } = await import('@libp2p/crypto/keys')
const { multiaddr } = await import('@multiformats/multiaddr')
const { encode, decode } = await import('@msgpack/msgpack')

const CONSENSUS = '/kilochain/consensus/1'
const REQUEST = '/kilochain/request/1'
const [HELLO, MESSAGE, , , PING, PONG] = [1, 2, 3, 4, 5, 6]
const [ASK, ANSWER] = [0, 1]

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const given = JSON.parse((await lines.next()).value)
const chainId = Buffer.from(given.chain_id)
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')
const hex = (bytes) => Buffer.from(bytes).toString('hex')

// --- digests and signatures

const tagged = (tag, bytes) => Buffer.concat([Buffer.from(tag), Buffer.alloc(1), bytes])
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const digestOf = (tag, bytes) => sha256(tagged(tag, bytes))

function signedBy (key, signature, message) {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key, 'hex')])
  return verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature)
}

function merkleRoot (leaves) {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return sha256(Buffer.from([0]), leaves[0])
  let left = 1
  while (left * 2 < leaves.length) left *= 2
  const halves = [leaves.slice(0, left), leaves.slice(left)].map(merkleRoot)
  return sha256(Buffer.from([1]), ...halves)
}

// --- blocks

const genesis = JSON.parse(readFileSync(given.genesis, 'utf8'))
const validators = genesis.validators.map(({ key, name, peer_id }) => ({ key: Buffer.from(key, 'hex'), name, peer_id }))
const quorum = Math.ceil((validators.length + Math.floor((validators.length - 1) / 3) + 1) / 2)

function checkBlock (body, certificate, height) {
  const [headerBytes, transactions] = decode(body)
  const header = decode(headerBytes)
  const digest = digestOf('kilochain/block/1', headerBytes)
  const set = digestOf('kilochain/validators/1', encode(validators))
  const [view, votes] = decode(certificate)
  const vote = { chain_id: given.chain_id, digest, height, kind: 'commit', v: 1, view }
  const message = tagged('kilochain/vote/1', encode(vote))
  const good = votes.filter(([index, signature]) => signedBy(hex(validators[index].key), signature, message))
  return {
    height: header.height === height,
    chain: header.chain_id === given.chain_id,
    transactions: hex(header.transactions_root) === hex(merkleRoot(transactions)),
    validators: hex(header.validators_hash) === hex(set),
    certificate: new Set(good.map(([index]) => index)).size >= quorum,
    digest: hex(digest),
    parent: hex(header.parent)
  }
}

// --- frames

function frame (type, payload) {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(payload.length + 1)
  head[4] = type
  return Buffer.concat([head, payload])
}

async function * frames (stream) {
  let held = Buffer.alloc(0)
  for await (const part of stream) {
    held = Buffer.concat([held, part.subarray()])
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE()) {
      const end = 4 + held.readUInt32BE()
      yield [held[4], held.subarray(5, end)]
      held = held.subarray(end)
    }
  }
}

async function ask (node, kind, question) {
  const names = [chainId, Buffer.from(kind)].flatMap((name) => [Buffer.from([name.length]), name])
  const stream = await node.dialProtocol(multiaddr(given.address), REQUEST)
  stream.send(frame(ASK, Buffer.concat([...names, question])))
  for await (const [type, payload] of frames(stream)) {
    await stream.close()
    if (type !== ANSWER) throw new Error(payload.toString())
    return payload
  }
  throw new Error('no answer')
}

// --- the peer

const node = await createLibp2p({
  privateKey: await generateKeyPairFromSeed('Ed25519', Buffer.from(given.seed, 'hex')),
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify(), pubsub: gossipsub() }
})
const topic = `/kilochain/${given.chain_id}/transactions/1`
let outgoing

await node.handle(CONSENSUS, async (stream) => {
  for await (const [type, payload] of frames(stream)) {
    if (type === HELLO) say({ hello: payload.toString() })
    if (type === PING) outgoing?.send(frame(PONG, payload))
    if (type === PONG) say({ pong: hex(payload) })
    if (type === MESSAGE) {
      const [kind, chain, , view, mode, head] = decode(payload)
      if (kind === 'status') say({ status: { chain, view, mode, head } })
    }
  }
})
node.services.pubsub.addEventListener('message', ({ detail }) => {
  const [nonce, transactions] = decode(detail.data)
  say({ chunk: { nonce: nonce.length, transactions: transactions.map(hex), topic: detail.topic } })
})
node.services.pubsub.subscribe(topic)

try {
  outgoing = await node.dialProtocol(multiaddr(given.address), CONSENSUS)
} catch (error) {
  say({ refused: String(error) })
  process.exit(0)
}
outgoing.send(frame(HELLO, chainId))
const pings = setInterval(() => outgoing.send(frame(PING, Buffer.from('0011223344556677', 'hex'))), 1000)

const pairs = decode(await ask(node, 'chain', encode(1)))
const checked = pairs.map(([body, certificate], at) => checkBlock(body, certificate, at + 1))
say({ blocks: checked })
say({ body: hex(await ask(node, 'block', Buffer.from(checked[0].digest, 'hex'))) === hex(pairs[0][0]) })
await ask(node, 'nonsense', Buffer.alloc(0)).catch((error) => say({ refusal: error.message }))

while (node.services.pubsub.getSubscribers(topic).length === 0) await new Promise((resolve) => setTimeout(resolve, 50))
const chunk = encode([Buffer.from('8899aabbccddeeff', 'hex'), [Buffer.from(given.transaction, 'hex')]])
say({ published: (await node.services.pubsub.publish(topic, chunk)).recipients.length })

for await (const _ of lines) break
clearInterval(pings)
await node.stop()
process.exit(0)
