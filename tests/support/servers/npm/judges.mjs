// Serves both on free ports of the loopback, says which as JSON, and ends when its stdin is closed.
import dynalite from "dynalite";
import { buildApp } from "fauxqs";

const dynamodb = dynalite({ createTableMs: 0, deleteTableMs: 0 });
await new Promise((done) => dynamodb.listen(0, "127.0.0.1", done));
const sqs = buildApp({ logger: false });
await sqs.listen({ host: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ dynamodb: dynamodb.address().port, sqs: sqs.server.address().port }));
process.stdin.on("end", () => process.exit(0)).resume();
