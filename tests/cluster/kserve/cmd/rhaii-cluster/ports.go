// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken below the range that the kernel gives to outgoing connections, so that a port found free stays free until its
// server starts. Five digits always: see rewritePort.
const firstPort, lastPort = 20000, 29999

func freePort() (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		// All addresses: the KServe controller cannot be told to listen on loopback only.
		l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		l.Close()
		return port, nil
	}
	return 0, fmt.Errorf("no free TCP port found between %d and %d", firstPort, lastPort)
}
