// Opens a checkpoint with Go's own verifier of signed notes and prints its text, and checks the root's proof of
// growth with Go's own log: the formats are only right if others can read them.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Key         string
	Note        string
	OldSize     int64  `json:"old_size"`
	OldRoot     string `json:"old_root"`
	Consistency []string
	Leaf        string // its bytes, in base64
	Number      int64
	Inclusion   []string
}

func main() {
	var asked question
	must(json.NewDecoder(os.Stdin).Decode(&asked))
	verifier, err := note.NewVerifier(asked.Key)
	must(err)
	opened, err := note.Open([]byte(asked.Note), note.VerifierList(verifier))
	must(err)
	tree, err := tlog.ParseTree([]byte(goTree(opened.Text)))
	must(err)
	must(tlog.CheckTree(tlog.TreeProof(hashes(asked.Consistency)), tree.N, tree.Hash, asked.OldSize, hash(asked.OldRoot)))
	leaf, err := base64.StdEncoding.DecodeString(asked.Leaf)
	must(err)
	must(tlog.CheckRecord(tlog.RecordProof(hashes(asked.Inclusion)), tree.N, tree.Hash, asked.Number, tlog.RecordHash(leaf)))
	fmt.Print(opened.Text)
}

// goTree is the text with the origin that Go's log insists on: only size and root are of interest here.
func goTree(text string) string {
	lines := strings.SplitN(text, "\n", 4)
	return "go.sum database tree\n" + lines[1] + "\n" + lines[2] + "\n"
}

func hashes(texts []string) []tlog.Hash {
	found := []tlog.Hash{}
	for _, text := range texts {
		found = append(found, hash(text))
	}
	return found
}

func hash(text string) tlog.Hash {
	found, err := tlog.ParseHash(text)
	must(err)
	return found
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
