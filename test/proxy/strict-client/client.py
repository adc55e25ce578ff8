"""gRPC's C core (grpcio) as an xDS client, the same program as client.ts: `answer PORT` or `error DETAILS`, over and over."""

import sys
import time

import grpc

EVERY_SEC = 0.02
DEADLINE_SEC = 5

channel = grpc.insecure_channel("xds:///" + sys.argv[1])
who = channel.unary_unary("/wpgate.test.Backend/Who")
while True:
    try:
        line = "answer " + who(b"", timeout=DEADLINE_SEC).decode()
    except grpc.RpcError as error:
        line = "error " + error.details()
    print(line, flush=True)
    time.sleep(EVERY_SEC)
