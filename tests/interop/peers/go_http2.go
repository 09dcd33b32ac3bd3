// A client of net/http of Go. Prints what it saw as JSON:
//
//	go run go_http2.go ORIGIN [CERTIFICATE]
//
// It needs Go 1.24, and no package but Go's own.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strings"
	"sync"
)

const large = 8 * 1024 * 1024

var client *http.Client
var origin string

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newClient(certificate string) *http.Client {
	protocols := new(http.Protocols)
	transport := &http.Transport{Protocols: protocols, ExpectContinueTimeout: 1e12}
	if certificate == "" {
		protocols.SetUnencryptedHTTP2(true)
		return &http.Client{Transport: transport}
	}
	protocols.SetHTTP2(true)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(certificate)))
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return &http.Client{Transport: transport}
}

func send(request *http.Request) (*http.Response, string) {
	response := must(client.Do(request))
	body := must(io.ReadAll(response.Body))
	response.Body.Close()
	return response, string(body)
}

func get(path string) (*http.Response, string) {
	return send(must(http.NewRequest("GET", origin+path, nil)))
}

// Many requests at a time: how many were answered as they should be.
func many(count int) int {
	var group sync.WaitGroup
	var lock sync.Mutex
	good := 0
	for i := 0; i < count; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			response, body := get("/slow")
			lock.Lock()
			defer lock.Unlock()
			if body == "Slow" && response.Proto == "HTTP/2.0" {
				good++
			}
		}()
	}
	group.Wait()
	return good
}

func hints() []int {
	statuses := []int{}
	trace := &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			statuses = append(statuses, code)
			return nil
		},
	}
	request := must(http.NewRequest("GET", origin+"/hints", nil))
	response, _ := send(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	return append(statuses, response.StatusCode)
}

// An upload of no known length, with a trailer, that waits for 100 Continue.
func upload() string {
	body := io.MultiReader(bytes.NewReader(make([]byte, large)), strings.NewReader(""))
	request := must(http.NewRequest("POST", origin+"/count", body))
	request.Header.Set("Expect", "100-continue")
	request.Trailer = http.Header{"X-Sum": {"1"}}
	_, text := send(request)
	return text
}

func cut() string {
	response := must(client.Get(origin + "/cut"))
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil {
		return "no error"
	}
	return string(body)
}

func main() {
	origin = os.Args[1]
	certificate := ""
	if len(os.Args) > 2 {
		certificate = os.Args[2]
	}
	client = newClient(certificate)
	_, downloaded := get("/large")
	withTrailers, _ := get("/trailers")
	cutAfter := cut()
	_, after := get("/hello")
	seen := map[string]any{
		"many":     many(50),
		"hints":    hints(),
		"upload":   upload(),
		"large":    len(downloaded),
		"trailers": withTrailers.Trailer,
		"cutAfter": cutAfter,
		"after":    after,
	}
	fmt.Println(string(must(json.Marshal(seen))))
}
