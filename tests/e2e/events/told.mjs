// How many ends of runs the stream of events tells of, and of how many runs.
import { connect } from '@nats-io/transport-node';

const stream = 'SKEIN_EVT_default_1';
const connection = await connect({ servers: process.env.NATS_URL });
const ask = async (what, said) =>
  (await connection.request(`$JS.API.STREAM.${what}.${stream}`, said, { timeout: 10000 })).json();
const { first_seq: first, last_seq: last } = (await ask('INFO', '')).state;

let ends = 0;
const runs = new Set();
let next = first;
await Promise.all(Array.from({ length: 64 }, async () => {
  while (next <= last) {
    const seq = next;
    next += 1;
    const { message } = await ask('MSG.GET', JSON.stringify({ seq }));
    if (message && message.subject.endsWith('.event.skein.run.succeeded')) {
      ends += 1;
      runs.add(JSON.parse(Buffer.from(message.data, 'base64').toString()).subject);
    }
  }
}));
console.log(JSON.stringify({ stored: last - first + 1, ends, runs: runs.size }));
await connection.close();
