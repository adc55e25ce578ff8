/** Writes objects as the admin, over connections that stay open: kubectl takes longer to start than a case may take. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { UpstreamError } from "../../../xds-proxy/src/errors.ts";
import type { ApiServer } from "../../lab/api-server.ts";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

const PLURALS: Readonly<Record<string, string>> = {
  AuthorizationPolicy: "authorizationpolicies",
  WasmPlugin: "wasmplugins",
};
const TIMEOUT_MS = 30_000;

export class ApiClient {
  readonly #url: string;
  readonly #token: string;
  readonly #agent: Agent;

  private constructor(parts: { url: string; token: string; agent: Agent }) {
    this.#url = parts.url;
    this.#token = parts.token;
    this.#agent = parts.agent;
  }

  static async create(api: ApiServer): Promise<ApiClient> {
    const config = JSON.parse(await readFile(api.kubeconfigOf("admin"), "utf8")) as Kubeconfig;
    const agent = new Agent({ ca: api.authority, keepAlive: true, maxSockets: 4 });
    return new ApiClient({ url: api.url, token: config.users[0]?.user.token ?? "", agent });
  }

  /** Creates or changes it, server-side. @throws UpstreamError with what the API server says */
  async apply(object: KubernetesObject): Promise<void> {
    const query = "?fieldManager=test&force=true";
    await this.#call("PATCH", pathOf(object) + query, "application/apply-patch+yaml", JSON.stringify(object));
  }

  async remove(object: KubernetesObject): Promise<void> {
    await this.#call("DELETE", pathOf(object));
  }

  close(): void {
    this.#agent.destroy();
  }

  async #call(method: string, path: string, contentType = "application/json", body = ""): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": contentType };
    const answer = await new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
      const options = { method, headers, agent: this.#agent, timeout: TIMEOUT_MS };
      const asked = request(`${this.#url}${path}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      asked.on("timeout", () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      asked.on("error", reject);
      asked.end(body);
    });
    if (answer.status >= 300) throw new UpstreamError("PROTOCOL", `${method} ${path}: ${answer.status} ${answer.text}`);
  }
}

interface Kubeconfig {
  readonly users: readonly { readonly user: { readonly token: string } }[];
}

function pathOf({ apiVersion, kind, metadata: { name, namespace } }: KubernetesObject): string {
  return `/apis/${apiVersion}/namespaces/${namespace}/${PLURALS[kind] ?? kind}/${name}`;
}
