// SPDX-License-Identifier: MIT
// An echo server for go.c: serve REPORT CONNECTIONS. A goroutine for each
// connection.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
)

func die(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func echo(connection net.Conn) {
	buf := make([]byte, 4096)
	for {
		got, err := connection.Read(buf)
		if err != nil { // the client has closed it
			connection.Close()
			return
		}
		if _, err = connection.Write(buf[:got]); err != nil {
			die(err)
		}
	}
}

func main() {
	report, _ := strconv.Atoi(os.Args[1])
	connections, _ := strconv.Atoi(os.Args[2])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		die(err)
	}
	fmt.Fprintf(os.NewFile(uintptr(report), "report"), "%d\n",
		listener.Addr().(*net.TCPAddr).Port)
	var all sync.WaitGroup
	for i := 0; i < connections; i++ {
		connection, err := listener.Accept()
		if err != nil {
			die(err)
		}
		all.Add(1)
		go func() {
			echo(connection)
			all.Done()
		}()
	}
	all.Wait()
}
