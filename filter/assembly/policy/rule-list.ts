import { View } from "../bytes/view";
import { CompiledRule } from "./compiled-rule";
import { hostKeys, Key, pathKeys, peerKeys } from "./index-keys";
import { Rule } from "./policy";
import { TextIndex } from "./text-index";
import { TrustDomains } from "./trust-domains";
import { Attribute, RequestAttributes } from "./types";

/** The rules of one action. Those that are bound to paths, hosts or principals are found by them, the rest is walked. */
@final
export class RuleList {
  private readonly byPath: TextIndex = new TextIndex();
  private readonly byHost: TextIndex = new TextIndex();
  private readonly byPeer: TextIndex = new TextIndex();
  private readonly others: CompiledRule[] = [];

  constructor(private readonly trustDomains: TrustDomains) {}

  /** Rules come in ascending order. */
  add(rule: CompiledRule, source: Rule): void {
    const path = pathKeys(source);
    if (path !== null) return addAll(this.byPath, path, rule);
    const peer = peerKeys(source, this.trustDomains);
    if (peer !== null) return addAll(this.byPeer, peer, rule);
    const host = hostKeys(source);
    if (host !== null) return addAll(this.byHost, host, rule);
    this.others.push(rule);
  }

  /** The first matching rule in order, whatever way it is found. */
  first(request: RequestAttributes): CompiledRule | null {
    let best: CompiledRule | null = null;
    if (!this.byPath.isEmpty) best = lookUp(this.byPath, request.urlPath(), request, best);
    if (!this.byHost.isEmpty) best = lookUp(this.byHost, request.lowerHost(), request, best);
    if (!this.byPeer.isEmpty) {
      best = this.lookUpPeer(Attribute.PeerUri, request, best);
      best = this.lookUpPeer(Attribute.PeerDns, request, best);
      best = this.lookUpPeer(Attribute.PeerSubject, request, best);
    }
    for (let i = 0; i < this.others.length; i++) {
      const rule = this.others[i];
      if (best !== null && best.order < rule.order) break;
      if (rule.matches(request)) return rule;
    }
    return best;
  }

  private lookUpPeer(attribute: Attribute, request: RequestAttributes, best: CompiledRule | null): CompiledRule | null {
    const name = request.text(attribute);
    return name === null ? best : this.byPeer.first(this.trustDomains.canonical(name), request, best);
  }
}

function addAll(index: TextIndex, keys: Key[], rule: CompiledRule): void {
  for (let i = 0; i < keys.length; i++) index.add(keys[i].text, keys[i].isPrefix, rule);
}

function lookUp(
  index: TextIndex,
  text: View | null,
  request: RequestAttributes,
  best: CompiledRule | null,
): CompiledRule | null {
  return text === null ? best : index.first(text, request, best);
}
