// Command sim runs the fake product over seeds, as the real simulation does.
package main

import (
	"flag"
	"fmt"
	"os"

	"example.test/fake/store"
)

func main() {
	seeds := flag.Int("seeds", 1, "how many seeds")
	first := flag.Int("first", 1, "first seed")
	flag.Parse()

	for seed := *first; seed < *first+*seeds; seed++ {
		fmt.Printf("seed %d runs\n", seed)
		var s store.Store
		s.Put(2)
		// Reordering is a fault that only every third seed has.
		if seed%3 == 0 {
			s.Put(1)
		}
		if s.Version != 2 {
			violated(seed, 1, "the stored version went from 2 to %d", s.Version)
		}
		s.Start()
		s.Start()
		if s.Live > 1 {
			violated(seed, 2, "%d live tasks on one host", s.Live)
		}
	}
}

func violated(seed, invariant int, format string, args ...any) {
	fmt.Printf("seed %d: invariant %d: %s\n", seed, invariant, fmt.Sprintf(format, args...))
	fmt.Println("history follows")
	os.Exit(1)
}
