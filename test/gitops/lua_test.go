package gitops

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
	"sigs.k8s.io/yaml"
)

const (
	argoFolder = "../../config/argocd"
	group      = "cobalt.gocobalt.io"
)

// libraries is what a script may use in Argo CD.
type libraries int

const (
	// restricted holds for scripts in argocd-cm: base, table, package, and date and time of os.
	restricted libraries = iota
	// open holds for scripts that are built into Argo CD.
	open
)

// argo runs scripts as Argo CD does, from what users install: config/argocd/argocd-cm.yaml. Argo CD's own package for
// that cannot be used: its newest versions are published with a part missing, or need a newer Go than we do. What it
// does is this little: an interpreter without libraries but some, one second, an object in, a table out.
type argo struct {
	data      map[string]string
	libraries libraries
}

func newArgo(t *testing.T, libraries libraries) argo {
	t.Helper()
	var configMap struct{ Data map[string]string }
	readYAML(t, filepath.Join(argoFolder, "argocd-cm.yaml"), &configMap)
	return argo{configMap.Data, libraries}
}

// health is the verdict of Argo CD on an object.
type health struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// health is what Argo CD shows, including what it decides without a script.
func (a argo) health(obj *unstructured.Unstructured) (health, error) {
	if obj.GetDeletionTimestamp() != nil && !isHook(obj) {
		return health{"Progressing", "Pending deletion"}, nil
	}
	script, ok := a.data["resource.customizations.health."+group+"_"+obj.GetKind()]
	if !ok {
		return health{}, fmt.Errorf("kind %s has no health script", obj.GetKind())
	}
	var verdict health
	return verdict, a.run(obj, script, &verdict)
}

func isHook(obj *unstructured.Unstructured) bool {
	return slices.Contains(obj.GetFinalizers(), "argocd.argoproj.io/hook-finalizer")
}

// action is what Argo CD offers for an object.
type action struct {
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	IconClass   string `json:"iconClass"`
	Disabled    bool   `json:"disabled"`
}

// offers returns the actions for an object by name.
func (a argo) offers(obj *unstructured.Unstructured) (map[string]action, error) {
	discovery, _, err := a.actions(obj.GetKind())
	if err != nil {
		return nil, err
	}
	offered := map[string]action{}
	if err := a.run(obj, discovery, &offered); err != nil {
		return nil, err
	}
	for name, offer := range offered {
		offer.Name = name
		offered[name] = offer
	}
	return offered, nil
}

// act returns what an action makes of an object.
func (a argo) act(obj *unstructured.Unstructured, name string) (*unstructured.Unstructured, error) {
	_, scripts, err := a.actions(obj.GetKind())
	if err != nil {
		return nil, err
	}
	script, ok := scripts[name]
	if !ok {
		return nil, fmt.Errorf("kind %s has no action %s", obj.GetKind(), name)
	}
	changed := &unstructured.Unstructured{}
	if err := a.run(obj, script, &changed.Object); err != nil {
		return nil, err
	}
	restoreEmpty(changed.Object, obj.Object)
	return changed, nil
}

// restoreEmpty makes empty objects of those empty lists that were objects before, as Argo CD does: Lua does not tell
// the one from the other.
func restoreEmpty(changed, before map[string]any) {
	for key, value := range before {
		object, ok := value.(map[string]any)
		if !ok {
			continue
		}
		switch now := changed[key].(type) {
		case map[string]any:
			restoreEmpty(now, object)
		case []any:
			if len(now) == 0 {
				changed[key] = map[string]any{}
			}
		}
	}
}

func (a argo) actions(kind string) (discovery string, scripts map[string]string, err error) {
	var actions struct {
		Discovery   string `json:"discovery.lua"`
		Definitions []struct {
			Name   string `json:"name"`
			Action string `json:"action.lua"`
		} `json:"definitions"`
	}
	text, ok := a.data["resource.customizations.actions."+group+"_"+kind]
	if !ok {
		return "", nil, fmt.Errorf("kind %s has no actions", kind)
	}
	if err := yaml.UnmarshalStrict([]byte(text), &actions); err != nil {
		return "", nil, err
	}
	scripts = map[string]string{}
	for _, definition := range actions.Definitions {
		scripts[definition.Name] = definition.Action
	}
	return actions.Discovery, scripts, nil
}

// run runs a script on an object and reads the table it returns into result.
func (a argo) run(obj *unstructured.Unstructured, script string, result any) error {
	l := lua.NewState(lua.Options{SkipOpenLibs: a.libraries == restricted})
	defer l.Close()
	if a.libraries == restricted {
		if err := openRestricted(l); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	l.SetContext(ctx)
	text, err := json.Marshal(obj.Object)
	if err != nil {
		return err
	}
	value, err := luajson.Decode(l, text)
	if err != nil {
		return err
	}
	l.SetGlobal("obj", value)
	if err := l.DoString(script); err != nil {
		return err
	}
	table, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return fmt.Errorf("the script returns a %s", l.Get(-1).Type())
	}
	text, err = luajson.Encode(table)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, result)
}

// openRestricted opens what Argo CD opens. Its os has no global name there: scripts have to require it.
func openRestricted(l *lua.LState) error {
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable}, {lua.OsLibName, lua.OpenOs},
	} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(library.open), Protect: true}, lua.LString(library.name)); err != nil {
			return err
		}
	}
	safe, all := l.NewTable(), l.GetGlobal(lua.OsLibName)
	for _, name := range []string{"date", "time"} {
		safe.RawSetString(name, l.GetField(all, name))
	}
	l.SetGlobal(lua.OsLibName, lua.LNil)
	l.SetField(l.GetField(l.GetGlobal("package"), "loaded"), lua.OsLibName, lua.LNil)
	l.PreloadModule(lua.OsLibName, func(l *lua.LState) int {
		l.Push(safe)
		return 1
	})
	return nil
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readObject(t *testing.T, path string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	readYAML(t, path, &obj.Object)
	return obj
}
