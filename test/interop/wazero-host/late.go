package main

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// lateVM creates the root context when the VM starts, not already when the host is made: before that nobody can tell this
// host which foreign functions there are.
type lateVM struct {
	proxytest.WasmVMContext
	root *lateRoot
}

// lateRoot is the root context from then on.
type lateRoot struct {
	types.PluginContext
	id uint32
}

func (v *lateVM) NewPluginContext(id uint32) types.PluginContext {
	v.root = &lateRoot{id: id}
	return v.root
}

func (v *lateVM) OnVMStart(configurationSize int) types.OnVMStartStatus {
	v.root.PluginContext = v.WasmVMContext.NewPluginContext(v.root.id)
	return v.WasmVMContext.OnVMStart(configurationSize)
}
