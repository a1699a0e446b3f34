// How many messages the triggers' consumer still has to take, and how many it took without an answer.
import { connect } from '@nats-io/transport-node';

const connection = await connect({ servers: process.env.NATS_URL });
const answer = await connection.request(
  '$JS.API.CONSUMER.INFO.SKEIN_EVT_default_1.triggers', '', { timeout: 5000 });
const found = answer.json();
console.log(JSON.stringify({
  pending: found.num_pending, unanswered: found.num_ack_pending, again: found.num_redelivered,
  stored: found.delivered.stream_seq,
}));
await connection.close();
