// Ends the process that goes beyond this machine: no client may phone home, and none can swallow this as an error.

import { Socket } from "node:net";

const LOCAL = new Set(["127.0.0.1", "::1", "localhost"]);
const connect = Socket.prototype.connect;

Socket.prototype.connect = function (...given) {
  const [options] = Array.isArray(given[0]) ? given[0] : given;
  const host = typeof options === "object" ? (options.path ? "localhost" : options.host) : given[1];
  if (!LOCAL.has(host ?? "localhost")) {
    console.error(`tests reach nothing beyond this machine, but this went for ${host}`);
    process.exit(70);
  }
  return connect.apply(this, given);
};
