// The attributes of the request in hand, read from the host when a rule asks for them and never twice. One object serves
// all requests, with `reset` before each.
import { getHeaderPairs, getProperty } from "../abi/hostcalls";
import { HostReply } from "../abi/memory";
import { HeaderBlock } from "../abi/pairs";
import { HeaderMapType, Status } from "../abi/types";
import { View } from "../bytes/view";
import { Attribute, Claim, RequestAttributes } from "../policy/types";
import { findClaim } from "./jwt-claims";

const PATH = View.utf8(":path");
const METHOD = View.utf8(":method");
const AUTHORITY = View.utf8(":authority");
const SOURCE = View.utf8("source\0address");
const DESTINATION = View.utf8("destination\0address");
const PEER_URI = View.utf8("connection\0uri_san_peer_certificate");
const PEER_DNS = View.utf8("connection\0dns_san_peer_certificate");
const PEER_SUBJECT = View.utf8("connection\0subject_peer_certificate");
const SNI = View.utf8("connection\0requested_server_name");
const METADATA = View.utf8("metadata");

@final
export class HttpRequest extends RequestAttributes {
  /** The host failed to say something: whatever was decided must not be believed. */
  failed: bool = false;
  private block: HeaderBlock | null = null;
  private metadata: View | null = null;

  reset(): void {
    super.reset();
    this.failed = false;
    this.block = null;
    this.metadata = null;
  }

  protected readText(attribute: Attribute): View | null {
    switch (attribute) {
      case Attribute.Path:
        return this.pseudoHeader(PATH);
      case Attribute.Method:
        return this.pseudoHeader(METHOD);
      case Attribute.Host:
        return this.pseudoHeader(AUTHORITY);
      case Attribute.RemoteAddress:
        return this.accept(getProperty(SOURCE));
      case Attribute.DestinationAddress:
        return this.accept(getProperty(DESTINATION));
      case Attribute.PeerUri:
        return this.accept(getProperty(PEER_URI));
      case Attribute.PeerDns:
        return this.accept(getProperty(PEER_DNS));
      case Attribute.PeerSubject:
        return this.accept(getProperty(PEER_SUBJECT));
      case Attribute.Sni:
        return this.accept(getProperty(SNI));
      default:
        this.failed = true;
        return null;
    }
  }

  protected readHeader(name: View): View[] {
    const headers = this.allHeaders();
    return headers == null ? [] : headers.all(name);
  }

  protected readClaim(path: View[]): Claim | null {
    return findClaim(this.allMetadata(), path);
  }

  /** Pseudo-headers are never repeated. */
  private pseudoHeader(name: View): View | null {
    const headers = this.allHeaders();
    return headers == null ? null : headers.first(name);
  }

  /** One host call for all of them costs less than one for each of two. */
  private allHeaders(): HeaderBlock | null {
    if (this.block == null && !this.failed) {
      const reply = getHeaderPairs(HeaderMapType.RequestHeaders);
      this.block = reply.ok ? HeaderBlock.of(reply.bytes) : null;
      if (this.block == null) this.failed = true;
    }
    return this.block;
  }

  private allMetadata(): View {
    const known = this.metadata;
    if (known != null) return known;
    const reply = this.accept(getProperty(METADATA));
    const metadata = reply == null ? View.empty() : reply;
    this.metadata = metadata;
    return metadata;
  }

  /** What the request does not have is null; every other failure makes it undecidable. */
  private accept(reply: HostReply): View | null {
    if (reply.ok) return reply.bytes;
    if (reply.status != Status.NotFound) this.failed = true;
    return null;
  }
}
