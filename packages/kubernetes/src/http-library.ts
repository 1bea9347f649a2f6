import {
  type HttpLibrary,
  type RequestContext,
  ResponseContext,
  SelfDecodingBody,
  ServerConfiguration,
  createConfiguration,
  wrapHttpLibrary,
  type Configuration,
} from "@kubernetes/client-node";
import { ClusterError } from "@tailrace/core";
import type { Transport, TransportRequest } from "./transport.ts";

/** Only its path is used: the transport knows the server. */
const PLACEHOLDER = "http://cluster";

/** Lets the generated API classes send over our transport, which also authenticates and makes the errors. */
export function apiConfiguration(transport: Transport, signal: AbortSignal): Configuration {
  return createConfiguration({
    baseServer: new ServerConfiguration(PLACEHOLDER, {}),
    httpApi: library(transport, signal),
  });
}

function library(transport: Transport, signal: AbortSignal): HttpLibrary {
  return wrapHttpLibrary({
    async send(context: RequestContext): Promise<ResponseContext> {
      const answer = await transport.read(requestOf(context), signal);
      const text = answer.body.toString("utf8");
      try {
        JSON.parse(text);
      } catch (cause) {
        const { pathname } = new URL(context.getUrl());
        throw new ClusterError("server_error", `${context.getHttpMethod()} ${pathname}: the answer is not JSON`, {
          cause,
        });
      }
      return new ResponseContext(
        answer.status,
        { "content-type": "application/json" },
        new SelfDecodingBody(Promise.resolve(answer.body)),
      );
    },
  });
}

function requestOf(context: RequestContext): TransportRequest {
  const { pathname, search } = new URL(context.getUrl());
  const body = context.getBody();
  const method = context.getHttpMethod() as TransportRequest["method"];
  const contentType = context.getHeaders()["Content-Type"];
  if (typeof body !== "string") return { method, path: pathname + search };
  return { method, path: pathname + search, body, ...(contentType !== undefined && { contentType }) };
}
