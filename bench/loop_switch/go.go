// SPDX-License-Identifier: MIT
// loop_switch in Go: runtime.Gosched().
package main

import (
	"runtime"
	"sync"
)

func takeTurns(tasks int, n int) {
	var all sync.WaitGroup
	all.Add(tasks)
	for i := 0; i < tasks; i++ {
		go func() {
			for left := n / tasks; left > 0; left-- {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
}

func main() {
	twoSizes("ns_per_switch", 1000000, 2, takeTurns)
}
