/**
 * Messages out of `Any`, also when they travel as a TypedStruct of either kind, which is how EnvoyFilter delivers types that
 * istiod does not know. Envoy looks at the name after the last slash of a type URL, and so does this.
 */
import {
  createRegistry,
  fromBinary,
  fromJson,
  toBinary,
  type DescMessage,
  type Message,
  type MessageShape,
  type Registry,
} from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { TypedStructSchema as UdpaTypedStructSchema } from "../gen/proto/udpa/type/v1/typed_struct_pb.js";
import { TypedStructSchema } from "../gen/proto/xds/type/v3/typed_struct_pb.js";
import { READABLE } from "./readable.ts";

export interface Unpacked {
  /** `envoy.extensions.filters.http.lua.v3.Lua`; empty when there is no type. */
  readonly type: string;
  /** Whether the inner message was given as a Struct. */
  readonly isStruct: boolean;
  /** The bytes that a digest is about: the value of the outermost Any. */
  readonly bytes: Uint8Array;
  /** Absent when the type is none that can be read here. */
  readonly content?: Content;
}

export interface Content {
  readonly schema: DescMessage;
  readonly message: Message;
}

export const REGISTRY: Registry = createRegistry(...READABLE);
/** The fields of both kinds are the same. */
const TYPED_STRUCTS: ReadonlySet<string> = new Set([TypedStructSchema.typeName, UdpaTypedStructSchema.typeName]);

/** @throws Error of the protobuf library, or of this module, for what is no such message */
export function unpack(any: Any): Unpacked {
  const outer = typeNameOf(any.typeUrl);
  if (!TYPED_STRUCTS.has(outer)) {
    const schema = REGISTRY.getMessage(outer);
    const content = schema && { schema, message: fromBinary(schema, any.value) };
    return { type: outer, isStruct: false, bytes: any.value, ...(content && { content }) };
  }
  const { typeUrl, value = {} } = fromBinary(TypedStructSchema, any.value);
  const type = typeNameOf(typeUrl);
  if (TYPED_STRUCTS.has(type)) throw new Error("a TypedStruct inside of a TypedStruct");
  const schema = REGISTRY.getMessage(type);
  // Through bytes, so that nothing depends on how a message was made.
  const content = schema && {
    schema,
    message: fromBinary(schema, toBinary(schema, fromJson(schema, value, { registry: REGISTRY }))),
  };
  return { type, isStruct: true, bytes: any.value, ...(content && { content }) };
}

export function typeNameOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}

/** The message of this type inside; undefined when it is of another type. @throws as `unpack` */
export function unpackAs<Desc extends DescMessage>(any: Any | undefined, schema: Desc): MessageShape<Desc> | undefined {
  if (any === undefined) return undefined;
  const { type, content } = unpack(any);
  return type === schema.typeName ? (content?.message as MessageShape<Desc> | undefined) : undefined;
}
