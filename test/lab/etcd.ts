/** etcd as whoever can write to it directly sees it: no user, no admission, no validation. etcd's HTTP gateway, v3. */
import { isRecord } from "../../xds-proxy/src/bytes/record.ts";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";

type JsonObject = Readonly<Record<string, unknown>>;

export class Etcd {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** A custom resource, which lies there as JSON. @throws UpstreamError when it is missing */
  async read(key: string): Promise<JsonObject> {
    return objectOf(Buffer.from(await this.#column(key, "value"), "base64").toString());
  }

  /** What the API server calls the object's `resourceVersion`. @throws UpstreamError when it is missing */
  async revision(key: string): Promise<string> {
    return await this.#column(key, "mod_revision");
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.#call("put", { key: base64(key), value: base64(JSON.stringify(value)) });
  }

  /** Changes the `spec` of an object, and nothing else of it. */
  async rewrite(key: string, change: (spec: JsonObject) => JsonObject): Promise<void> {
    const object = await this.read(key);
    await this.write(key, { ...object, spec: change(isRecord(object["spec"]) ? object["spec"] : {}) });
  }

  async remove(key: string): Promise<void> {
    await this.#call("deleterange", { key: base64(key) });
  }

  async #column(key: string, name: string): Promise<string> {
    const { kvs } = await this.#call("range", { key: base64(key) });
    const row: unknown = Array.isArray(kvs) ? kvs[0] : undefined;
    const value = isRecord(row) ? row[name] : undefined;
    if (typeof value !== "string") throw new UpstreamError("PROTOCOL", `etcd has no ${key}`);
    return value;
  }

  async #call(method: string, body: JsonObject): Promise<JsonObject> {
    const answer = await fetch(`${this.#url}/v3/kv/${method}`, { method: "POST", body: JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new UpstreamError("PROTOCOL", `etcd answers ${method} with ${answer.status}: ${text}`);
    return objectOf(text);
  }
}

export function wasmPluginKey(namespace: string, name: string): string {
  return `/registry/extensions.istio.io/wasmplugins/${namespace}/${name}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function objectOf(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) throw new UpstreamError("PROTOCOL", "etcd answers with something that is not an object");
  return value;
}
