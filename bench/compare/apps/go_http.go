// The application of the comparison on net/http of Go; x_asgi.ts says what it
// answers. It has those paths only that are asked over HTTP/2, and serves
// HTTP/1 and HTTP/2, in clear by prior knowledge.
package main

import (
	"io"
	"net/http"
	"os"
	"strconv"
)

const mebibytePieces = 16

var (
	hello           = []byte("Hello, World!")
	downloadedPiece = make([]byte, 64*1024)
)

func answer(w http.ResponseWriter, body []byte) {
	w.Header().Set("content-type", "text/plain")
	w.Header().Set("content-length", strconv.Itoa(len(body)))
	w.Write(body)
}

func upload(w http.ResponseWriter, r *http.Request) {
	length, _ := io.Copy(io.Discard, r.Body)
	answer(w, []byte(strconv.FormatInt(length, 10)))
}

func download(w http.ResponseWriter, _ *http.Request) {
	length := len(downloadedPiece) * mebibytePieces
	w.Header().Set("content-type", "text/plain")
	w.Header().Set("content-length", strconv.Itoa(length))
	for i := 0; i < mebibytePieces; i++ {
		w.Write(downloadedPiece)
	}
}

func handle(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		answer(w, hello)
	case "/upload":
		upload(w, r)
	case "/1m":
		download(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func main() {
	for i := range downloadedPiece {
		downloadedPiece[i] = 'x'
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Addr:      "127.0.0.1:" + os.Getenv("PORT"),
		Handler:   http.HandlerFunc(handle),
		Protocols: protocols,
	}
	if cert := os.Getenv("CERT"); cert != "" {
		panic(server.ListenAndServeTLS(cert, os.Getenv("KEY")))
	}
	panic(server.ListenAndServe())
}
