package main

import (
	"context"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// callbacks are the fields in which proxytest keeps what it calls, and the names that it finds them by.
var callbacks = map[string]string{
	"proxyOnVMStart":        "proxy_on_vm_start",
	"proxyOnContextCreate":  "proxy_on_context_create",
	"proxyOnConfigure":      "proxy_on_configure",
	"proxyOnTick":           "proxy_on_tick",
	"proxyOnRequestHeaders": "proxy_on_request_headers",
}

// restartWithEnvironment instantiates the module once more in proxytest's own runtime, beside its own host functions, and
// with an environment, for which proxytest has no option; proxytest then calls this instance.
func restartWithEnvironment(vm proxytest.WasmVMContext, wasm []byte, environment map[string]string) error {
	ctx := context.Background()
	host := reflect.ValueOf(vm).Elem()
	runtime, ok := field(host, "runtime").Interface().(wazero.Runtime)
	if !ok {
		return fmt.Errorf("proxytest no longer keeps its runtime where it did")
	}
	compiled, err := runtime.CompileModule(ctx, wasm)
	if err != nil {
		return err
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	for name, value := range environment {
		config = config.WithEnv(name, value)
	}
	instance, err := runtime.InstantiateModule(ctx, compiled, config)
	if err != nil {
		return err
	}
	for name, export := range callbacks {
		var function api.Function = instance.ExportedFunction(export)
		field(field(host, "abi"), name).Set(reflect.ValueOf(function))
	}
	return nil
}

// field is a field that its package does not export.
func field(of reflect.Value, name string) reflect.Value {
	found := of.FieldByName(name)
	return reflect.NewAt(found.Type(), unsafe.Pointer(found.UnsafeAddr())).Elem()
}
