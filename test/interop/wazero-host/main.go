// Runs wpgate.wasm in proxytest, the Proxy-Wasm host of proxy-wasm-go-sdk on wazero: nothing of Envoy, no V8, no
// verify_signature. A scenario comes as a JSON document on standard input; its answers go to standard output as one JSON line.
// The host writes what is logged to standard error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// scenario is the life of one VM.
type scenario struct {
	Module      string            `json:"module"`
	Namespace   string            `json:"namespace"`
	Environment map[string]string `json:"environment"`
	Steps       []step            `json:"steps"`
}

// step delivers a configuration, or sends a GET.
type step struct {
	Configure *string `json:"configure"`
	Path      string  `json:"path"`
}

// answer is what became of a step. Status is that of the local response, 200 where the request may go on.
type answer struct {
	Accepted *bool  `json:"accepted,omitempty"`
	Status   uint32 `json:"status,omitempty"`
	Details  string `json:"details,omitempty"`
	Mark     string `json:"mark,omitempty"`
}

func main() {
	var s scenario
	check(json.NewDecoder(os.Stdin).Decode(&s))
	check(json.NewEncoder(os.Stdout).Encode(run(s)))
}

func run(s scenario) []answer {
	wasm, err := os.ReadFile(s.Module)
	check(err)
	vm, err := proxytest.NewWasmVMContext(wasm)
	check(err)
	defer vm.Close()
	if len(s.Environment) > 0 {
		check(restartWithEnvironment(vm, wasm, s.Environment))
	}
	configuration := make([]byte, longest(s.Steps))
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().
		WithVMContext(&lateVM{WasmVMContext: vm}).
		WithPluginConfiguration(configuration).
		WithProperty([]string{"node", "metadata", "NAMESPACE"}, []byte(s.Namespace)))
	defer reset()
	// This host ends the process when it does not know a function; a useless answer is the nearest to not knowing it.
	host.RegisterForeignFunction("verify_signature", func([]byte) []byte { return []byte{0} })
	if !host.StartVM() {
		check(fmt.Errorf("the VM does not start"))
	}
	var answers []answer
	for _, step := range s.Steps {
		answers = append(answers, take(host, step, configuration))
	}
	return answers
}

// take hands over a configuration in the buffer that the host has kept: it has no other way to change one. The rest of the
// buffer is white space, which JSON ignores.
func take(host proxytest.HostEmulator, s step, configuration []byte) answer {
	if s.Configure != nil {
		copy(configuration, *s.Configure+strings.Repeat(" ", len(configuration)-len(*s.Configure)))
		accepted := bool(host.StartPlugin())
		return answer{Accepted: &accepted}
	}
	check(host.SetProperty([]string{"ok"}, []byte("-")))
	id := host.InitializeHttpContext()
	action := host.CallOnRequestHeaders(id, [][2]string{
		{":method", "GET"}, {":path", s.Path}, {":authority", "shop.team-a.example"}, {":scheme", "http"},
	}, true)
	mark, err := host.GetProperty([]string{"ok"})
	check(err)
	if response := host.GetSentLocalResponse(id); response != nil {
		return answer{Status: response.StatusCode, Details: strings.Clone(response.StatusCodeDetail), Mark: string(mark)}
	}
	if action != types.ActionContinue {
		return answer{Details: "paused for ever", Mark: string(mark)}
	}
	return answer{Status: 200, Mark: string(mark)}
}

func longest(steps []step) int {
	size := 1
	for _, s := range steps {
		if s.Configure != nil {
			size = max(size, len(*s.Configure))
		}
	}
	return size
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
