/** What stands in for a resource that was refused and never accepted before: the same place, and nothing gets through. */
import { create, equals, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RBAC_Action } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { RBACSchema, type RBAC } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RouterSchema } from "../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import {
  HttpConnectionManagerSchema,
  HttpConnectionManager_CodecType,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { decodeListener } from "./listener.ts";

const BODY = "refused by wpgate: what the control plane sent for this port does not keep what its owner signed\n";

/** Same name, address and direction; every request gets 503. What is no Listener gives a listener without an address, which
 *  Envoy refuses. TLS is not spoken: a client that speaks it is cut off, which is a denial, too. */
export function denyAllListener(value: Uint8Array): Uint8Array {
  const { name, address, additionalAddresses, bindToPort, trafficDirection, transparent, enableReusePort } =
    placeOf(value);
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: "wpgate_deny_all",
    codecType: HttpConnectionManager_CodecType.AUTO,
    httpFilters: [
      {
        name: "envoy.filters.http.router",
        configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
      },
    ],
    routeSpecifier: {
      case: "routeConfig",
      value: {
        name: "wpgate_deny_all",
        virtualHosts: [
          {
            name: "all",
            domains: ["*"],
            routes: [
              {
                match: { pathSpecifier: { case: "prefix", value: "/" } },
                action: {
                  case: "directResponse",
                  value: { status: 503, body: { specifier: { case: "inlineString", value: BODY } } },
                },
              },
            ],
          },
        ],
      },
    },
  });
  const listener = create(ListenerSchema, {
    ...{ name, additionalAddresses, trafficDirection },
    ...(address && { address }),
    ...(bindToPort !== undefined && { bindToPort }),
    ...(transparent !== undefined && { transparent }),
    ...(enableReusePort !== undefined && { enableReusePort }),
    filterChains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            configType: { case: "typedConfig", value: anyPack(HttpConnectionManagerSchema, manager) },
          },
        ],
      },
    ],
  });
  return toBinary(ListenerSchema, listener);
}

function placeOf(value: Uint8Array): ReturnType<typeof decodeListener> {
  try {
    return decodeListener(value);
  } catch {
    return create(ListenerSchema);
  }
}

/** ALLOW with no policy allows nothing. */
const DENY_ALL: RBAC = create(RBACSchema, { rules: { action: RBAC_Action.ALLOW } });

export function denyAllExtension(name: string): Uint8Array {
  const typedConfig = anyPack(RBACSchema, DENY_ALL);
  return toBinary(TypedExtensionConfigSchema, create(TypedExtensionConfigSchema, { name, typedConfig }));
}

/** Also istiod's own form, which has a statistics prefix. */
export function deniesAll(rbac: RBAC): boolean {
  return equals(RBACSchema, { ...rbac, rulesStatPrefix: "" }, DENY_ALL);
}
