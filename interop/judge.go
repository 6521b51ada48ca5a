// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// Tally counts what was judged. A disagreement is a verdict that is not the writer's.
type Tally struct {
	Heads         int            `json:"heads"`
	Leaves        int            `json:"leaves"`
	Tiles         int            `json:"tiles"`
	Signatures    int            `json:"signatures"`
	Accepted      map[string]int `json:"accepted"`
	Refused       map[string]int `json:"refused"`
	Disagreements int            `json:"disagreements"`
}

func (t *Tally) disagree(format string, values ...any) {
	t.Disagreements++
	if t.Disagreements > 20 {
		return
	}
	fmt.Fprintf(os.Stderr, "disagrees: "+format+"\n", values...)
}

// verdict counts one case and compares the reference code's verdict with the writer's.
func (t *Tally) verdict(kind string, number int, c Case, err error) {
	if err == nil {
		t.Accepted[kind]++
	} else {
		t.Refused[kind]++
	}
	if (err == nil) != c.Accept {
		t.disagree("%s %d (change %q): the writer says %v, here: %v", kind, number, c.Change, c.Accept, err)
	}
}

func judge(cases Cases) Tally {
	tally := Tally{Accepted: map[string]int{}, Refused: map[string]int{}}
	for _, log := range cases.Logs {
		tally.log(log)
	}
	for i, c := range cases.Checkpoints {
		signatures, err := checkpoint(c)
		tally.Signatures += signatures
		tally.verdict("checkpoints", i, c.Case, err)
	}
	for i, c := range cases.Inclusions {
		tally.verdict("inclusions", i, c.Case, inclusion(c))
	}
	for i, c := range cases.Consistency {
		tally.verdict("consistency", i, c.Case, consistency(c))
	}
	return tally
}

func inclusion(c Inclusion) error {
	leaf, ok1 := hashOf(c.Leaf)
	root, ok2 := hashOf(c.Root)
	proof, ok3 := hashesOf(c.Proof)
	if !ok1 || !ok2 || !ok3 {
		return fmt.Errorf("a hash of the wrong length")
	}
	return tlog.CheckRecord(proof, c.Size, root, c.Index, leaf)
}

func consistency(c Consistency) error {
	oldRoot, ok1 := hashOf(c.OldRoot)
	newRoot, ok2 := hashOf(c.NewRoot)
	proof, ok3 := hashesOf(c.Proof)
	if !ok1 || !ok2 || !ok3 {
		return fmt.Errorf("a hash of the wrong length")
	}
	return tlog.CheckTree(proof, c.New, newRoot, c.Old, oldRoot)
}

// checkpoint returns how many signatures verified, and an error unless log and all witnesses signed
// a checkpoint of that log.
func checkpoint(c Checkpoint) (int, error) {
	log, err := note.NewVerifier(c.Log)
	if err != nil {
		return 0, err
	}
	verifiers := []note.Verifier{log}
	for _, vkey := range c.Witnesses {
		verifier, err := parseWitness(vkey)
		if err != nil {
			return 0, err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(c.Note, note.VerifierList(verifiers...))
	if err != nil {
		return 0, err
	}
	if len(opened.Sigs) != len(verifiers) || len(opened.UnverifiedSigs) > 0 {
		return 0, fmt.Errorf("%d of %d signed, and %d others", len(opened.Sigs), len(verifiers),
			len(opened.UnverifiedSigs))
	}
	return len(opened.Sigs), head(opened.Text, log.Name())
}

// head tells whether a text is a checkpoint (C2SP tlog-checkpoint) of the log.
func head(text, origin string) error {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != origin {
		return fmt.Errorf("not a checkpoint of %s", origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return fmt.Errorf("not a size: %q", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return fmt.Errorf("not a root: %q", lines[2])
	}
	return nil
}

// log builds a log anew from its leaves and compares roots, tiles and bundles at each of its heads.
func (t *Tally) log(log Log) {
	stored, err := storedHashes(log.Leaves)
	if err != nil {
		t.disagree("%s: %v", log.Origin, err)
		return
	}
	t.Leaves += len(log.Leaves)
	for _, head := range log.Heads {
		t.Heads++
		root, err := tlog.TreeHash(head.Size, stored)
		if err != nil || !bytes.Equal(root[:], head.Root) {
			t.disagree("%s: root at size %d: %v", log.Origin, head.Size, err)
			continue
		}
		t.tiles(log, head.Size, stored)
		t.proofsFromTiles(log, tlog.Tree{N: head.Size, Hash: root})
	}
}

func (t *Tally) tiles(log Log, size int64, stored tlog.HashReader) {
	for _, tile := range tilesOf(size) {
		want, err := tlog.ReadTileData(tile, stored)
		if err != nil || !bytes.Equal(log.Files[filePath(tile)], want) {
			t.disagree("%s: %s is not what the leaves give: %v", log.Origin, filePath(tile), err)
		}
		t.Tiles++
		if tile.L == 0 {
			t.bundle(log, tile)
		}
	}
}

// bundle compares the entries of one file, each after its length in two bytes, with the leaves.
func (t *Tally) bundle(log Log, tile tlog.Tile) {
	var want []byte
	first := tile.N << tileHeight
	for _, leaf := range log.Leaves[first : first+int64(tile.W)] {
		want = binary.BigEndian.AppendUint16(want, uint16(len(leaf)))
		want = append(want, leaf...)
	}
	tile.L = -1
	if !bytes.Equal(log.Files[filePath(tile)], want) {
		t.disagree("%s: %s does not hold the leaves", log.Origin, filePath(tile))
	}
	t.Tiles++
}

// proofsFromTiles lets the reference client make proofs out of the published tiles alone. It
// authenticates each tile against the root before it uses it.
func (t *Tally) proofsFromTiles(log Log, tree tlog.Tree) {
	reader := tlog.TileHashReader(tree, files(log.Files))
	for _, index := range []int64{0, tree.N / 3, tree.N - 1} {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(log.Leaves[index]))
		}
		if err != nil {
			t.disagree("%s: leaf %d of %d from tiles: %v", log.Origin, index, tree.N, err)
		}
	}
}

// tilesOf lists the tiles of a log of this size. The reference code lists a partial tile in each
// width it ever had; of those the last is kept.
func tilesOf(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for _, tile := range tlog.NewTiles(tileHeight, 0, size) {
		held := size>>(tileHeight*tile.L) - tile.N<<tileHeight
		if tile.W == 1<<tileHeight || int64(tile.W) == held {
			tiles = append(tiles, tile)
		}
	}
	return tiles
}

// files reads tiles by the paths of C2SP tlog-tiles.
type files map[string][]byte

func (f files) Height() int                                { return tileHeight }
func (f files) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, 0, len(tiles))
	for _, tile := range tiles {
		content, ok := f[filePath(tile)]
		if !ok {
			return nil, fmt.Errorf("%s is missing", filePath(tile))
		}
		data = append(data, content)
	}
	return data, nil
}

// filePath returns a tile's path in C2SP tlog-tiles: without the height, and entries for data.
func filePath(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tile.H))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

// hashStore keeps all hashes of a log in the order that the reference code numbers them.
type hashStore []tlog.Hash

func (s hashStore) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, len(indexes))
	for _, index := range indexes {
		if index < 0 || index >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes = append(hashes, s[index])
	}
	return hashes, nil
}

func storedHashes(leaves [][]byte) (hashStore, error) {
	var store hashStore
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, store)
		if err != nil {
			return nil, err
		}
		store = append(store, more...)
	}
	return store, nil
}
