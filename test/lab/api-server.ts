/** etcd and kube-apiserver on loopback, with RBAC, admission policies, and a kubeconfig for each user. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import { Authority } from "../scenarios/certificates.ts";
import { freePort } from "./free-port.ts";
import type { Programs } from "./programs.ts";
import { ready } from "./ready.ts";

/** Both end at once when asked; etcd must not go first, or kube-apiserver waits for it for minutes. */
const STOP_GRACE_MS = 10_000;

/** Users who come with the API server, each with one group: the latter two are those of deploy/kubernetes. Everyone else
 *  is a ServiceAccount, or is impersonated by the admin. */
const GROUPS = {
  admin: "system:masters",
  platform: "wpgate:platform",
  owner: "team-a:editors",
} as const;
export type User = keyof typeof GROUPS;

export class ApiServer {
  readonly url: string;
  readonly etcdUrl: string;
  /** The authority of its certificate, PEM. */
  readonly authority: string;
  readonly #folder: string;
  readonly #programs: Programs;
  readonly #ports: Ports;
  readonly #tokens: Readonly<Record<User, string>>;
  #etcd: GuardedProcess | undefined;
  #server: GuardedProcess | undefined;

  private constructor(parts: {
    folder: string;
    programs: Programs;
    ports: Ports;
    tokens: Readonly<Record<User, string>>;
    authority: string;
  }) {
    this.#folder = parts.folder;
    this.#programs = parts.programs;
    this.#ports = parts.ports;
    this.#tokens = parts.tokens;
    this.authority = parts.authority;
    this.url = `https://127.0.0.1:${parts.ports.server}`;
    this.etcdUrl = `http://127.0.0.1:${parts.ports.etcd}`;
  }

  static async start(programs: Programs): Promise<ApiServer> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-lab-"));
    const ports = { server: await freePort(), etcd: await freePort(), peers: await freePort() };
    const tokens = tokensOf(() => randomBytes(16).toString("hex"));
    const authority = await writeIdentity(folder, tokens);
    const api = new ApiServer({ folder, programs, ports, tokens, authority });
    try {
      for (const user of Object.keys(GROUPS)) await api.kubeconfig(user, api.#tokens[user as User]);
      api.#etcd = await api.#startEtcd();
      await api.startServer();
      return api;
    } catch (error) {
      await api.stop();
      throw error;
    }
  }

  /** Writes a kubeconfig for whoever has the token, and returns its path. */
  async kubeconfig(user: string, token: string): Promise<string> {
    const content = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "lab",
          cluster: { server: this.url, "certificate-authority-data": Buffer.from(this.authority).toString("base64") },
        },
      ],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: "lab", context: { cluster: "lab", user } }],
      "current-context": "lab",
    };
    const path = this.kubeconfigOf(user);
    await writeFile(path, JSON.stringify(content), { mode: 0o600 });
    return path;
  }

  kubeconfigOf(user: string): string {
    return join(this.#folder, `${user}.kubeconfig`);
  }

  get serverPid(): number {
    return this.#server?.pid ?? -1;
  }

  /** Again after `stopServer`, on the same port with the same data. */
  async startServer(): Promise<void> {
    const folder = this.#file("kube-apiserver");
    await mkdir(folder, { recursive: true });
    const args = [
      ...[`--etcd-servers=${this.etcdUrl}`, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"],
      ...[`--secure-port=${this.#ports.server}`, "--endpoint-reconciler-type=none", "--profiling=false"],
      ...[`--tls-cert-file=${this.#file("server.crt")}`, `--tls-private-key-file=${this.#file("server.key")}`],
      // As every cluster has it: what is privileged is for policies to refuse.
      ...["--allow-privileged=true", "--authorization-mode=RBAC", `--token-auth-file=${this.#file("tokens.csv")}`],
      ...["--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.96.0.0/16"],
      `--service-account-key-file=${this.#file("accounts.pub")}`,
      `--service-account-signing-key-file=${this.#file("accounts.key")}`,
    ];
    const server = new GuardedProcess({ file: this.#programs.kubeApiserver, args, folder });
    this.#server = server;
    await ready("kube-apiserver", server, async () => (await this.#get("/readyz")) === 200);
  }

  async stopServer(): Promise<void> {
    await this.#server?.stop(STOP_GRACE_MS);
  }

  async stop(): Promise<void> {
    await this.stopServer();
    await this.#etcd?.stop(STOP_GRACE_MS);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startEtcd(): Promise<GuardedProcess> {
    const peers = `http://127.0.0.1:${this.#ports.peers}`;
    const args = [
      ...["--data-dir", this.#file("etcd"), "--unsafe-no-fsync", "--log-level", "warn"],
      ...["--listen-client-urls", this.etcdUrl, "--advertise-client-urls", this.etcdUrl],
      ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
      ...["--initial-cluster", `default=${peers}`],
    ];
    const etcd = new GuardedProcess({ file: this.#programs.etcd, args, folder: this.#folder });
    await ready("etcd", etcd, async () => (await fetch(`${this.etcdUrl}/health`)).ok);
    return etcd;
  }

  async #get(path: string): Promise<number> {
    const headers = { authorization: `Bearer ${this.#tokens.admin}` };
    return await new Promise((resolve, reject) => {
      const asked = request(`${this.url}${path}`, { headers, ca: this.authority }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.on("error", reject);
      asked.end();
    });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

interface Ports {
  readonly server: number;
  readonly etcd: number;
  readonly peers: number;
}

function tokensOf(token: () => string): Readonly<Record<User, string>> {
  return { admin: token(), platform: token(), owner: token() };
}

/** Certificate, service account keys and tokens; returns the authority of the certificate. */
async function writeIdentity(folder: string, tokens: Readonly<Record<User, string>>): Promise<string> {
  const authority = await Authority.create();
  const server = await authority.issue({ ip: "127.0.0.1", commonName: "kube-apiserver" });
  const accounts = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const write = async (name: string, content: string | Buffer): Promise<void> => {
    await writeFile(join(folder, name), content, { mode: 0o600 });
  };
  await write("server.crt", server.certificate);
  await write("server.key", server.key);
  await write("accounts.key", accounts.privateKey.export({ type: "pkcs8", format: "pem" }));
  await write("accounts.pub", accounts.publicKey.export({ type: "spki", format: "pem" }));
  const rows = Object.entries(GROUPS).map(([user, group]) => `${tokens[user as User]},${user},${user},"${group}"\n`);
  await write("tokens.csv", rows.join(""));
  return authority.certificate;
}
