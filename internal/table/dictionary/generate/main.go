// Command generate makes a zstd dictionary of samples:
//
//	go run ./generate SAMPLES ID OUT
//
// SAMPLES has one detail of a task or container instance a line, the most frequent form last: zstd writes short
// distances with fewer bits, and a dictionary is what comes just before the data. All ids and names in them are made
// up. The same samples and the same release of the library give the same dictionary.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

const (
	// historyBytes is how much of the end of the samples the dictionary holds. With half of it hosts lose their
	// attributes, with twice as much nothing gets smaller.
	historyBytes = 24 << 10
	// variants of each sample train the frequencies of characters and lengths; one would be learnt by heart.
	variants       = 4
	maxSampleBytes = 1 << 20
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%d arguments, wanted are SAMPLES ID OUT", len(args))
	}
	id, err := strconv.ParseUint(args[1], 10, 31)
	if err != nil || id < 1<<15 {
		return fmt.Errorf("id %q, allowed are 32768 to 2147483647: the others are zstd's own", args[1])
	}
	samples, err := read(args[0])
	if err != nil {
		return err
	}
	made, err := build(samples, uint32(id))
	if err != nil {
		return err
	}
	if err := os.WriteFile(args[2], made, 0o600); err != nil {
		return fmt.Errorf("writing the dictionary: %w", err)
	}
	return nil
}

func read(name string) (samples [][]byte, err error) {
	raw, err := os.ReadFile(name) //nolint:gosec // the caller's own file
	if err != nil {
		return nil, fmt.Errorf("reading samples: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, maxSampleBytes)
	for lines.Scan() {
		samples = append(samples, bytes.Clone(lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading samples of %s: %w", name, err)
	}
	return samples, nil
}

// build makes a dictionary of the samples' end, with the frequencies of all samples. Choosing the content by what
// repeats (package dict of the same library) gives results that are worse by half: the samples are fewer than it needs,
// and whole details give longer matches than their pieces.
func build(samples [][]byte, id uint32) ([]byte, error) {
	random := rand.New(rand.NewPCG(uint64(id), 1)) //nolint:gosec // the same again is what is wanted
	var contents [][]byte
	for range variants {
		for _, sample := range samples {
			contents = append(contents, vary(random, sample))
		}
	}
	history := bytes.Join(samples, nil)
	made, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: id, Contents: contents, History: history[max(0, len(history)-historyBytes):],
		Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedDefault,
	})
	if err != nil {
		return nil, fmt.Errorf("building a dictionary of %d samples: %w", len(samples), err)
	}
	return made, nil
}

// random parts are what differs between any two details: ids and digests, and times of the day.
var randomParts = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{12,64}|` +
	`[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}`)

// vary gives a sample other ids and times; what was the same id stays the same one.
func vary(random *rand.Rand, sample []byte) []byte {
	given := map[string][]byte{}
	return randomParts.ReplaceAllFunc(sample, func(part []byte) []byte {
		other, ok := given[string(part)]
		if ok {
			return other
		}
		digits := "0123456789"
		if bytes.ContainsAny(part, "abcdef") {
			digits = "0123456789abcdef"
		}
		other = bytes.Clone(part)
		for i, c := range other {
			if c != '-' && c != ':' && c != '.' {
				other[i] = digits[random.IntN(len(digits))]
			}
		}
		given[string(part)] = other
		return other
	})
}
