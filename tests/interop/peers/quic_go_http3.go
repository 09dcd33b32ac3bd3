// A client of HTTP/3 made of quic-go. Prints what it saw as JSON:
//
//	go run quic_go_http3.go PORT CERTIFICATE
//
// in a module that requires github.com/quic-go/quic-go.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/quic-go/quic-go/http3"
)

const upload = 10 * 1024 * 1024

var origin string

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newClient(certificate string) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(certificate)))
	config := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	return &http.Client{
		Transport: &http3.Transport{TLSClientConfig: config},
		Timeout:   20 * time.Second,
	}
}

func read(response *http.Response, err error) (*http.Response, string, error) {
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response, string(body), err
}

func get(client *http.Client, path string) (*http.Response, string) {
	response, body, err := read(client.Get(origin + path))
	if err != nil {
		panic(err)
	}
	return response, body
}

// Many requests at a time: how many were answered as they should be.
func many(client *http.Client, count int, path string, expected string, during func()) int {
	var group sync.WaitGroup
	var lock sync.Mutex
	good := 0
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			response, body, err := read(client.Get(origin + path))
			lock.Lock()
			defer lock.Unlock()
			if err == nil && body == expected && response.Proto == "HTTP/3.0" {
				good++
			} else if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
	}
	during()
	group.Wait()
	return good
}

func cut(client *http.Client) string {
	_, _, err := read(client.Get(origin + "/cut"))
	if err == nil {
		return "no error"
	}
	return "an error"
}

func main() {
	origin = "https://127.0.0.1:" + os.Args[1]
	client := newClient(os.Args[2])
	hellos := many(client, 50, "/hello", "Hello", func() {})
	_, text := get(client, "/seen?a=b")
	scope := map[string]any{}
	if err := json.Unmarshal([]byte(text), &scope); err != nil {
		panic(err)
	}
	body := bytes.NewReader(make([]byte, upload))
	_, counted, err := read(client.Post(origin+"/count", "", body))
	if err != nil {
		panic(err)
	}
	body = bytes.NewReader(make([]byte, upload))
	_, refused, err := read(client.Post(origin+"/refuse", "", body))
	if err != nil {
		panic(err)
	}
	_, large := get(client, "/large")
	withTrailers, _ := get(client, "/trailers")
	cutSeen := cut(client)
	_, after := get(client, "/hello")
	waited := many(client, 20, "/wait", "Waited", func() {
		time.Sleep(100 * time.Millisecond)
		get(client, "/stop")
	})
	seen := map[string]any{
		"hellos":   hellos,
		"version":  scope["version"],
		"query":    scope["query"],
		"upload":   counted,
		"refused":  refused,
		"large":    len(large),
		"trailers": withTrailers.Trailer,
		"cut":      cutSeen,
		"after":    after,
		"waited":   waited,
	}
	fmt.Println(string(must(json.Marshal(seen))))
}
