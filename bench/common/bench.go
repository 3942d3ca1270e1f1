// SPDX-License-Identifier: MIT
// What the Go peers need: arguments, one thread for all goroutines, output.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"time"
)

const many = 1000

// parse reads [n] [workers] [rounds] as the C programs do.
func parse(n int) (int, int) {
	values := []int{n, 2, 5}
	for i, text := range os.Args[1:] {
		value, err := strconv.Atoi(text)
		if i >= len(values) || err != nil || value < 1 {
			fmt.Fprintf(os.Stderr, "'%s': not a number from 1\n", text)
			os.Exit(1)
		}
		values[i] = value
	}
	return values[0], values[2]
}

// twoSizes does what two_sizes.c does, on one thread.
func twoSizes(name string, n int, few int, step func(size int, n int)) {
	runtime.GOMAXPROCS(1)
	n, rounds := parse(n)
	for _, size := range []int{few, many} {
		var took []float64
		for round := 0; round <= rounds; round++ {
			start := time.Now()
			step(size, n)
			took = append(took, float64(time.Since(start).Nanoseconds()))
		}
		took = took[1:] // the first one has warmed up
		sort.Float64s(took)
		fmt.Printf("%s_%d %g\n", name, size, took[len(took)/2]/float64(n))
	}
}
