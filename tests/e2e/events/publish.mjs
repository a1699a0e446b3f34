// Publishes each of a range of events twice, in the forms that there are, with clients that are not ours.
//
// node publish.mjs FROM COUNT [IN_FLIGHT], with NATS_URL in the environment, copied to a folder whose
// node_modules are those of deploy/npm.
// A publication counts once the stream has said so; whatever it does not say is published again.

import { connect, headers } from '@nats-io/transport-node';
import { CloudEvent, HTTP } from 'cloudevents';

const [from, count, inFlight] = process.argv.slice(2).map(Number);
const subject = 'skein.default.event.order.paid';
const connection = await connect({
  servers: process.env.NATS_URL, maxReconnectAttempts: -1, reconnectTimeWait: 100,
});

function message(n) {
  const data = { n };
  const made = headers();
  if (n % 3 === 0) { // any JSON: its id is the broker's
    made.set('Nats-Msg-Id', `bare-${n}`);
    return [JSON.stringify(data), made];
  }
  const event = new CloudEvent({ id: `${n}`, source: '/shop', type: 'order.paid', data });
  if (n % 3 === 1) {
    return [JSON.stringify(event), made];
  }
  const binary = HTTP.binary(event);
  for (const [name, value] of Object.entries(binary.headers)) {
    made.set(name, String(value));
  }
  return [binary.body, made];
}

let repeats = 0;
async function publish(n) {
  const [payload, made] = message(n);
  for (;;) {
    try {
      const answer = await connection.request(subject, payload, { headers: made, timeout: 2000 });
      const said = answer.json();
      if (said.stream && !said.error) {
        return;
      }
    } catch {
      await new Promise((go) => setTimeout(go, 50)); // the broker is away
    }
    repeats += 1;
  }
}

// The second time comes some hundred events after the first.
const apart = Math.min(500, count - 1);
let next = 0;
await Promise.all(Array.from({ length: inFlight || 128 }, async () => {
  while (next < count * 2) {
    const i = next;
    next += 1;
    await publish(from + (Math.floor(i / 2) + (i % 2) * (count - apart)) % count);
  }
}));
console.log(JSON.stringify({ published: count * 2, repeats }));
await connection.close();
