// SPDX-License-Identifier: MIT
// loop_spawn in Go: goroutines, and a channel for the result of each.
package main

func spawn(atOnce int, n int) {
	results := make([]chan struct{}, atOnce)
	for done := 0; done < n; done += atOnce {
		for i := range results {
			result := make(chan struct{}, 1)
			results[i] = result
			go func() { result <- struct{}{} }()
		}
		for _, result := range results {
			<-result
		}
	}
}

func main() {
	twoSizes("ns_per_task", 1000000, 1, spawn)
}
