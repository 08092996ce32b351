// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

var (
	gatewayClasses = resource("gateway.networking.k8s.io", "v1", "gatewayclasses")
	gateways       = resource("gateway.networking.k8s.io", "v1", "gateways")
	httpRoutes     = resource("gateway.networking.k8s.io", "v1", "httproutes")
	pools          = resource("inference.networking.k8s.io", "v1", "inferencepools")
	services       = resource("", "v1", "services")
	pods           = resource("", "v1", "pods")
	namespaces     = resource("", "v1", "namespaces")
	llmServices    = resource("serving.kserve.io", "v1alpha2", "llminferenceservices")
)

// key names one object whose status is to be looked at.
type key struct {
	kind schema.GroupVersionResource
	name string // namespace/name, or name
}

// world is what happens outside the control plane: gateways, nodes, models. It watches the kinds above, and for each changed
// object looks again at the status of those that depend on it (affected), in workers fed by one queue.
type world struct {
	client  dynamic.Interface
	stores  map[schema.GroupVersionResource]cache.Indexer
	queue   workqueue.TypedRateLimitingInterface[key]
	gateway *gatewayPlane // nil: no Gateway controller
	podsOff atomic.Bool
	end     chan struct{}
}

func startWorld(config *rest.Config, address string, withGateway bool) (*world, error) {
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	w := &world{
		client: dyn,
		stores: map[schema.GroupVersionResource]cache.Indexer{},
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[key](50*time.Millisecond, 2*time.Second)),
		end: make(chan struct{}),
	}
	if withGateway {
		w.gateway = newGatewayPlane(w, address)
	}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(dyn, 0)
	for _, kind := range []schema.GroupVersionResource{gatewayClasses, gateways, httpRoutes, pools, services, pods, namespaces, llmServices} {
		informer := factory.ForResource(kind).Informer()
		changed := func(obj any) { w.changed(kind, obj) }
		informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    changed,
			UpdateFunc: func(_, obj any) { changed(obj) },
			DeleteFunc: changed,
		})
		w.stores[kind] = informer.GetIndexer()
	}
	factory.Start(w.end)
	synced := make(chan struct{})
	time.AfterFunc(60*time.Second, func() { close(synced) })
	for kind, ok := range factory.WaitForCacheSync(synced) {
		if !ok {
			return nil, fmt.Errorf("cannot watch %s", kind)
		}
	}
	for range 4 {
		go w.work()
	}
	return w, nil
}

func (w *world) stop() {
	close(w.end)
	w.queue.ShutDown()
	if w.gateway != nil {
		w.gateway.close()
	}
}

// turn switches one of the played parts.
func (w *world) turn(what string, on bool) error {
	if what == "pods" {
		w.podsOff.Store(!on)
		w.enqueueAll(pods, "")
		return nil
	}
	if w.gateway == nil {
		return fmt.Errorf("this cluster was started without a gateway")
	}
	if what == "model" {
		w.gateway.modelOff.Store(!on)
		return nil
	}
	w.gateway.off.Store(!on)
	w.gateway.listen()
	w.enqueueAll(gateways, "")
	return nil
}

func (w *world) changed(kind schema.GroupVersionResource, obj any) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	o, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return
	}
	switch kind {
	case gatewayClasses:
		w.enqueueAll(gateways, "")
	case gateways:
		w.enqueueAll(httpRoutes, "")
		w.enqueueAll(pools, "")
	case httpRoutes:
		w.enqueueAll(gateways, "")
		w.enqueueAll(pools, "")
	case pools, services:
		w.enqueueAll(httpRoutes, o.GetNamespace())
	case namespaces:
		w.enqueueAll(httpRoutes, o.GetName())
	}
	switch kind {
	case gatewayClasses, gateways, httpRoutes, pools, pods:
		w.queue.Add(key{kind, nameOf(o)})
	}
}

func nameOf(o *unstructured.Unstructured) string {
	name, _ := cache.MetaNamespaceKeyFunc(o)
	return name
}

// list gives the objects of a kind, in one namespace or in all.
func (w *world) list(kind schema.GroupVersionResource, namespace string) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, obj := range w.stores[kind].List() {
		o := obj.(*unstructured.Unstructured)
		if namespace == "" || o.GetNamespace() == namespace {
			found = append(found, o)
		}
	}
	return found
}

func (w *world) get(kind schema.GroupVersionResource, name string) *unstructured.Unstructured {
	obj, ok, _ := w.stores[kind].GetByKey(name)
	if !ok {
		return nil
	}
	return obj.(*unstructured.Unstructured)
}

func (w *world) enqueueAll(kind schema.GroupVersionResource, namespace string) {
	for _, o := range w.list(kind, namespace) {
		w.queue.Add(key{kind, nameOf(o)})
	}
}

func (w *world) work() {
	for {
		k, ended := w.queue.Get()
		if ended {
			return
		}
		if err := w.update(k); err != nil && !apierrors.IsNotFound(err) {
			select {
			case <-w.end:
			default:
				fmt.Fprintf(os.Stderr, "cluster: status of %s '%s': %v\n", k.kind.Resource, k.name, err)
			}
			w.queue.AddRateLimited(k)
		} else {
			w.queue.Forget(k)
		}
		w.queue.Done(k)
	}
}

// update computes the status that the object should have, and writes it when it has another one.
func (w *world) update(k key) error {
	if k.kind == gateways && w.gateway != nil && !w.gateway.listen() {
		w.queue.AddAfter(k, time.Second) // the port may become free
	}
	obj := w.get(k.kind, k.name)
	if obj == nil {
		return nil
	}
	var status map[string]any
	switch {
	case k.kind == pods:
		status = w.podStatus(obj)
	case w.gateway == nil:
	case k.kind == gatewayClasses:
		status = w.gatewayClassStatus(obj)
	case k.kind == gateways:
		status = w.gatewayStatus(obj)
	case k.kind == httpRoutes:
		status = w.routeStatus(obj)
	case k.kind == pools:
		status = w.poolStatus(obj)
	}
	if status == nil {
		return nil
	}
	current, _, _ := unstructured.NestedMap(obj.Object, "status")
	same := true
	for field, value := range status {
		same = same && equality.Semantic.DeepEqual(value, current[field])
	}
	if same {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	namespace, name, found := strings.Cut(k.name, "/")
	if !found {
		namespace, name = "", k.name
	}
	_, err = w.client.Resource(k.kind).Namespace(namespace).
		Patch(context.Background(), name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}
