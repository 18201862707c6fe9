package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/blox/blox/test/emulator/internal/host"
	"github.com/blox/blox/test/emulator/internal/runtimeapi"
)

// starts per function are measured for a median.
const measuredStarts = 7

// firstPayloads are what a function is invoked with for the measurement: something that it answers without a change.
var firstPayloads = map[string]string{
	"ingest": `{"Records":[]}`, "dispatch": `{"Records":[]}`, "reconcile": `{"Records":[]}`, "drive": `{"source":"blox.tick"}`,
	"api":    `{"httpMethod":"GET","path":"/v1/ping","resource":"/v1/ping","requestContext":{"stage":"blox","requestId":"start"}}`,
	"stream": `{"httpMethod":"GET","path":"/v1/stream/none","resource":"/v1/stream/none","requestContext":{"stage":"blox","requestId":"start"}}`,
}

// maxZipBytes is what a function's zip may have.
const maxZipBytes = 10 << 20

// starts measures fresh processes, beside those of an empty function, and weighs the zips.
func (o options) starts(ctx context.Context, h *host.Host) error {
	fmt.Fprintf(o.out, "\nstart of a process to its first answer, median of %d on this machine, idle otherwise; and the zip:\n", measuredStarts)
	for _, name := range names(h) {
		start, err := median(ctx, h.Functions[name], firstPayloads[name])
		if err != nil {
			return fmt.Errorf("measuring the start of %s: %w", name, err)
		}
		size := len(h.Deployed[name].Zip)
		fmt.Fprintf(o.out, "  %-10s %6.1f ms to ready, %6.1f ms to the first answer   %5.2f MB\n", name, ms(start.Ready), ms(start.Answer), float64(size)/(1<<20))
		if size > maxZipBytes {
			return fmt.Errorf("the zip of function %s has %d bytes: at most %d are allowed", name, size, maxZipBytes)
		}
	}
	if o.empty == "" {
		return nil
	}
	empty := runtimeapi.New(runtimeapi.Spec{Name: "empty", Directory: o.empty, Region: h.Template.Region, Timeout: time.Minute, MemoryMB: 128}, nil)
	defer empty.Close()
	start, err := median(ctx, empty, `{}`)
	if err != nil {
		return fmt.Errorf("measuring the start of the empty function: %w", err)
	}
	fmt.Fprintf(o.out, "  %-10s %6.1f ms to ready, %6.1f ms to the first answer   (a Go function that does nothing)\n", "empty", ms(start.Ready), ms(start.Answer))
	return nil
}

func median(ctx context.Context, f *runtimeapi.Function, payload string) (runtimeapi.Start, error) {
	var ready, answer []time.Duration
	for range measuredStarts {
		start, err := f.Fresh(ctx, []byte(payload))
		if err != nil {
			return runtimeapi.Start{}, err
		}
		ready, answer = append(ready, start.Ready), append(answer, start.Answer)
	}
	slices.Sort(ready)
	slices.Sort(answer)
	return runtimeapi.Start{Ready: ready[measuredStarts/2], Answer: answer[measuredStarts/2]}, nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// report tells what the emulator could not do, and what replaced it.
func (o options) report(h *host.Host, missing map[string]int) {
	fmt.Fprintln(o.out, "\nwhat was not AWS's, and not the emulator's either:")
	for _, sentence := range h.Replacements() {
		fmt.Fprintln(o.out, "  - "+sentence)
	}
	if len(missing) == 0 {
		return
	}
	fmt.Fprintln(o.out, "\nwhat the emulator's CloudFormation did not make; the tests of the template look at it (infra/cdk):")
	for _, kind := range slices.Sorted(maps.Keys(missing)) {
		fmt.Fprintf(o.out, "  %3d %s\n", missing[kind], kind)
	}
}
