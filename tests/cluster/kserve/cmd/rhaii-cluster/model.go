// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The model server: as much of the OpenAI API as vLLM answers to a probe. It says the same words to everything.
var answerWords = []string{"Hello", ",", " this", " is", " a", " test", "."}

type completionRequest struct {
	Model     string `json:"model"`
	Stream    bool   `json:"stream"`
	MaxTokens *int   `json:"max_tokens"`
}

func serveModel(names []string, rw http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + strings.TrimSuffix(r.URL.Path, "/") {
	case "GET /health":
		rw.WriteHeader(http.StatusOK)
	case "GET /v1/models":
		list := []any{}
		for _, name := range names {
			list = append(list, map[string]any{"id": name, "object": "model", "created": time.Now().Unix(), "owned_by": "vllm"})
		}
		writeJSON(rw, http.StatusOK, map[string]any{"object": "list", "data": list})
	case "POST /v1/completions":
		complete(names, rw, r, completionKind{"text_completion", "text_completion", "cmpl", textChoice, textChoice})
	case "POST /v1/chat/completions":
		complete(names, rw, r, completionKind{"chat.completion", "chat.completion.chunk", "chatcmpl", messageChoice, deltaChoice})
	default:
		writeJSON(rw, http.StatusNotFound, map[string]any{"detail": "Not Found"})
	}
}

// completionKind tells the two completion endpoints apart.
type completionKind struct {
	object, chunk, prefix string
	choice, part          func(text string) map[string]any
}

func textChoice(text string) map[string]any { return map[string]any{"text": text} }
func messageChoice(text string) map[string]any {
	return map[string]any{"message": map[string]any{"role": "assistant", "content": text}}
}
func deltaChoice(text string) map[string]any {
	return map[string]any{"delta": map[string]any{"content": text}}
}

func complete(names []string, rw http.ResponseWriter, r *http.Request, kind completionKind) {
	var ask completionRequest
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<20)).Decode(&ask); err != nil {
		writeJSON(rw, http.StatusBadRequest, openAIError(http.StatusBadRequest, "BadRequestError", err.Error()))
		return
	}
	if !slices.Contains(names, ask.Model) {
		writeJSON(rw, http.StatusNotFound,
			openAIError(http.StatusNotFound, "NotFoundError", fmt.Sprintf("The model `%s` does not exist.", ask.Model)))
		return
	}
	words := answerWords
	reason := "stop"
	if ask.MaxTokens != nil && *ask.MaxTokens < len(words) {
		words, reason = words[:max(*ask.MaxTokens, 0)], "length"
	}
	body := func(object string, choice map[string]any, finish any) map[string]any {
		choice["index"], choice["finish_reason"] = 0, finish
		return map[string]any{
			"id": kind.prefix + "-test", "object": object, "created": time.Now().Unix(), "model": ask.Model, "choices": []any{choice},
		}
	}
	if ask.Stream {
		stream(rw, words, func(word string) any { return body(kind.chunk, kind.part(word), nil) }, body(kind.chunk, kind.part(""), reason))
		return
	}
	answer := body(kind.object, kind.choice(strings.Join(words, "")), reason)
	answer["usage"] = map[string]any{"prompt_tokens": 1, "completion_tokens": len(words), "total_tokens": 1 + len(words)}
	writeJSON(rw, http.StatusOK, answer)
}

// stream sends one server-sent event a word, then the end.
func stream(rw http.ResponseWriter, words []string, event func(word string) any, last any) {
	rw.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	send := func(v any) {
		raw, _ := json.Marshal(v)
		fmt.Fprintf(rw, "data: %s\n\n", raw)
		http.NewResponseController(rw).Flush()
	}
	for _, word := range words {
		send(event(word))
	}
	send(last)
	fmt.Fprint(rw, "data: [DONE]\n\n")
}

func openAIError(code int, kind, message string) any {
	return map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": code}}
}

func writeJSON(rw http.ResponseWriter, code int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(code)
	json.NewEncoder(rw).Encode(v)
}
