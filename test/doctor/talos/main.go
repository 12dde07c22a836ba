// Command main takes a machine-config patch on standard input, applies it to a worker's machine configuration with the
// code of Talos itself, validates what comes out for a machine of metal, and prints it. It fails where talosctl would.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
)

// metal is what Talos calls the mode of a machine that it is installed on.
type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

func apply(patch []byte) ([]byte, error) {
	input, err := generate.NewInput("aerial", "https://192.0.2.1:6443", "1.34.0",
		generate.WithVersionContract(config.TalosVersionCurrent), generate.WithInstallDisk("/dev/sda"))
	if err != nil {
		return nil, err
	}

	base, err := input.Config(machine.TypeWorker)
	if err != nil {
		return nil, err
	}

	loaded, err := configpatcher.LoadPatch(patch)
	if err != nil {
		return nil, fmt.Errorf("the patch cannot be loaded: %w", err)
	}

	output, err := configpatcher.Apply(configpatcher.WithConfig(base), []configpatcher.Patch{loaded})
	if err != nil {
		return nil, fmt.Errorf("the patch cannot be applied: %w", err)
	}

	patched, err := output.Config()
	if err != nil {
		return nil, err
	}

	warnings, err := patched.Validate(metal{})
	for _, warning := range warnings {
		fmt.Fprintln(os.Stderr, warning)
	}

	if err != nil {
		return nil, fmt.Errorf("the patched configuration is not valid: %w", err)
	}

	return patched.Bytes()
}

func main() {
	patch, err := io.ReadAll(os.Stdin)
	if err == nil {
		patch, err = apply(patch)
	}

	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}

	os.Stdout.Write(patch) //nolint:errcheck
}
