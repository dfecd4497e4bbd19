// clients.mjs - the server driven by clients from npm as they come, and its OpenRPC document held against the meta-schema.
// usage: node clients.mjs ws://127.0.0.1:PORT ID PASSWORD; a line a client, and exit code 1 where one fails.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import Ajv from "ajv";
import { Client, RequestManager, WebSocketTransport } from "@open-rpc/client-js";
import { JSONRPCClient } from "json-rpc-2.0";
import { Client as RpcWebsockets } from "rpc-websockets";
import { toSocket, WebSocketMessageReader, WebSocketMessageWriter } from "vscode-ws-jsonrpc";
import WebSocket from "ws";

const require = createRequire(import.meta.url);
const jayson = require("jayson");
const openrpcMeta = require("@open-rpc/meta-schema");
const jsonSchemaMeta = require("@json-schema-tools/meta-schema");
const { createMessageConnection } = require("vscode-jsonrpc");
const [base, institution_id, password] = process.argv.slice(2);

const opened = (ws) => new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
const logIn = async () => {
  const ws = new WebSocket(`${base}/ws`);
  const client = new JSONRPCClient((request) => ws.send(JSON.stringify(request)));
  ws.on("message", (text) => client.receive(JSON.parse(text)));
  await opened(ws);
  const { token } = await client.request("auth.login", { institution_id, password });
  ws.close();
  return token;
};
const reason = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return error.data?.reason ?? error.cause?.data?.reason ?? String(error);
  }
  return "no error";
};
const isMe = (user) => assert.equal(user.institution_id, institution_id);

const token = await logIn();
const url = `${base}/ws?token=${token}`;

const clients = {
  async ws() {
    const ws = new WebSocket(`${base}/ws`, "edurag.v1", { headers: { authorization: `Bearer ${token}` } });
    await opened(ws);
    assert.equal(ws.protocol, "edurag.v1");
    const reply = new Promise((resolve) => ws.once("message", (text) => resolve(JSON.parse(text))));
    ws.send(JSON.stringify([
      { jsonrpc: "2.0", id: 0, method: "auth.whoami" },
      { jsonrpc: "2.0", id: "x", method: "server.ping", params: {} },
      { jsonrpc: "2.0", method: "server.ping" },
    ]));
    const byId = new Map((await reply).map((one) => [one.id, one.result]));
    assert.equal(byId.size, 2);
    isMe(byId.get(0));
    assert.ok(byId.get("x").time);
    ws.close(1000);
    await new Promise((resolve) => ws.on("close", resolve));
  },

  async "rpc-websockets"() {
    const client = new RpcWebsockets(url, { reconnect: false });
    await new Promise((resolve, reject) => { client.on("open", resolve); client.on("error", reject); });
    isMe(await client.call("auth.whoami"));
    const list = await client.call("courses.list", { limit: 5 });
    assert.deepEqual(list.items, []);
    assert.equal(await reason(client.call("users.list", {})), "forbidden");
    client.close();
  },

  async "json-rpc-2.0"() {
    const ws = new WebSocket(url);
    const client = new JSONRPCClient((request) => ws.send(JSON.stringify(request)));
    ws.on("message", (text) => client.receive(JSON.parse(text)));
    await opened(ws);
    isMe(await client.request("auth.whoami"));
    client.notify("server.ping", {});
    assert.equal(await reason(client.request("no.such", {})), "unknown_method");
    ws.close();
  },

  async jayson() {
    const ws = new WebSocket(url);
    const client = jayson.client.websocket({ ws });
    const call = (...args) => new Promise((resolve, reject) => client.request(...args, (error, reply) =>
      error ? reject(error) : reply.error ? reject(reply.error) : resolve(reply.result)));
    await opened(ws);
    isMe(await call("auth.whoami", {}));
    isMe(await call("auth.whoami", []));
    assert.equal(await reason(call("library.page", { page: 1 })), "invalid_params");
    ws.close();
  },

  async "@open-rpc/client-js"() {
    const transport = new WebSocketTransport(url);
    const client = new Client(new RequestManager([transport]));
    isMe(await client.request({ method: "auth.whoami", params: {} }));
    const results = await Promise.all([1, 2, 3].map((limit) => client.request({ method: "search.history", params: { limit } })));
    assert.equal(results.length, 3);
    assert.equal(await reason(client.request({ method: "users.list", params: {} })), "forbidden");
    client.close();
  },

  async "vscode-ws-jsonrpc"() {
    const ws = new WebSocket(url);
    await opened(ws);
    const socket = toSocket(ws);
    const connection = createMessageConnection(new WebSocketMessageReader(socket), new WebSocketMessageWriter(socket));
    const line = new Promise((resolve) => connection.onNotification("chat.message", resolve));
    connection.listen();
    isMe(await connection.sendRequest("auth.whoami"));
    await connection.sendRequest("chat.join", {});
    await connection.sendRequest("chat.send", { text: "hello from vscode" });
    assert.equal((await line).text, "hello from vscode");
    assert.equal(await reason(connection.sendRequest("users.list", {})), "forbidden");
    connection.dispose();
    ws.close();
  },

  async "@open-rpc/meta-schema"() {
    const { jsonSchema } = jsonSchemaMeta, ajv = new Ajv({ strict: false, validateFormats: false });
    const draft = "http://json-schema.org/draft-07/schema"; // both name themselves as what they follow, which says nothing
    for (const $id of ["https://meta.json-schema.tools", "https://meta.json-schema.tools/"]) // it is called by either
      ajv.addSchema({ ...jsonSchema, $id, $schema: draft });
    const validate = ajv.compile({ ...openrpcMeta.openrpcDocument, $schema: draft });
    const reply = await fetch(`${base.replace("ws:", "http:")}/openrpc.json`);
    const document = await reply.json();
    assert.match(reply.headers.get("content-type"), /application\/json/);
    assert.equal(document.openrpc, "1.4.1");
    const before = { ...document, openrpc: "1.3.2" }; // the newest that a published meta-schema knows; 1.4 added to it
    assert.ok(validate(before), JSON.stringify(validate.errors));
    for (const method of document.methods)
      for (const schema of [...method.params, method.result].map((one) => one.schema))
        assert.ok(ajv.validateSchema({ ...schema, $schema: draft }), `${method.name}: ${JSON.stringify(ajv.errors)}`);
    const broken = structuredClone(before);
    delete broken.methods[0].params;
    assert.ok(!validate(broken), "the meta-schema notices nothing");
    const ws = new WebSocket(url);
    const client = new JSONRPCClient((request) => ws.send(JSON.stringify(request)));
    ws.on("message", (message) => client.receive(JSON.parse(message)));
    await opened(ws);
    assert.deepEqual(await client.request("rpc.discover"), document);
    ws.close();
  },
};

let failed = 0;
for (const [name, drive] of Object.entries(clients)) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error("nothing within 20 s")), 20000).unref());
  try {
    await Promise.race([drive(), late]);
    console.log(`ok   ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
}
process.exit(failed ? 1 : 0);
