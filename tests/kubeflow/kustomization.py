"""Reads the manifests as kustomize builds them, without kustomize."""

import base64
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

WORKLOADS = ("Deployment", "StatefulSet", "Job", "CronJob")


def build(folder):
    """The objects of a kustomization: those of kustomize's features that our files use.

    Raises:
        ValueError: the file uses another feature.
    """
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    known = {"apiVersion", "kind", "resources", "namespace", "images", "patches"}
    known |= {"secretGenerator", "configMapGenerator", "generatorOptions"}
    known |= {"nameSuffix", "labels"}
    if unknown := set(kustomization) - known:
        raise ValueError(f"{folder}: this test's builder knows no {sorted(unknown)}")
    objects = []
    for name in kustomization["resources"]:
        path = folder / name
        if path.is_dir():
            objects += build(path)
        else:
            objects += [o for o in yaml.safe_load_all(path.read_text(encoding="utf-8")) if o]
    objects += generated(folder, kustomization)
    for patch in kustomization.get("patches", []):
        targets = [o for o in objects if is_target(o, patch["target"])]
        assert targets, f"{folder}: no target of {patch['target']}"
        for target in targets:
            apply_patch(target, yaml.safe_load(patch["patch"]))
    for label in kustomization.get("labels", []):
        assert label["includeSelectors"]
        for item in objects:
            add_labels(item, label["pairs"])
    if "nameSuffix" in kustomization:
        add_suffix(objects, kustomization["nameSuffix"])
    if "namespace" in kustomization:
        for item in objects:
            item["metadata"]["namespace"] = kustomization["namespace"]
            for subject in item.get("subjects", []):
                subject["namespace"] = kustomization["namespace"]
    for image in kustomization.get("images", []):
        for container in (c for o in objects for c in containers(o)):
            if container["image"].split(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    return objects


def generated(folder, kustomization):
    options = kustomization.get("generatorOptions", {})
    generators = [("Secret", g) for g in kustomization.get("secretGenerator", [])]
    generators += [("ConfigMap", g) for g in kustomization.get("configMapGenerator", [])]
    assert not generators or options["disableNameSuffixHash"]
    for kind, generator in generators:
        data = {Path(f).name: (folder / f).read_text() for f in generator.get("files", [])}
        for name in generator.get("envs", []):
            lines = [line for line in (folder / name).read_text().splitlines() if line.strip()]
            data |= dict(line.split("=", 1) for line in lines if not line.startswith("#"))
        if kind == "Secret":
            data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        metadata = {"name": generator["name"], "labels": dict(options["labels"])}
        item = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data}
        yield item | ({"type": "Opaque"} if kind == "Secret" else {})


def is_target(item, target):
    return item["kind"] == target["kind"] and fnmatchcase(
        item["metadata"]["name"], target.get("name", "*")
    )


def apply_patch(item, operations):
    """JSON patch, the two operations in use."""
    for operation in operations:
        *parents, key = operation["path"].strip("/").split("/")
        place = item
        for parent in parents:
            place = place[parent]
        assert operation["op"] == ("replace" if key in place else "add"), operation
        place[key] = operation["value"]


def add_labels(item, pairs):
    """To the object, and for what chooses pods or makes them, to its selectors and its pods."""
    item["metadata"].setdefault("labels", {}).update(pairs)
    spec = item.get("spec", {})
    if item["kind"] == "Service":
        spec["selector"].update(pairs)
    elif item["kind"] in WORKLOADS or item["kind"] == "PodDisruptionBudget":
        spec["selector"]["matchLabels"].update(pairs)
    if item["kind"] in WORKLOADS:
        pod_template(item)["metadata"]["labels"].update(pairs)
        for constraint in pod(item).get("topologySpreadConstraints", []):
            constraint["labelSelector"]["matchLabels"].update(pairs)


def add_suffix(objects, suffix):
    """To names, and where other objects of the same build name them."""
    renamed = {(item["kind"], item["metadata"]["name"]) for item in objects}
    for item in objects:
        item["metadata"]["name"] += suffix
        target = item.get("spec", {}).get("scaleTargetRef", {})
        if (target.get("kind"), target.get("name")) in renamed:
            target["name"] += suffix
        for volume in pod(item).get("volumes", []) if item["kind"] in WORKLOADS else []:
            if ("ConfigMap", volume.get("configMap", {}).get("name")) in renamed:
                volume["configMap"]["name"] += suffix


def pod_template(item):
    if item["kind"] == "CronJob":
        return item["spec"]["jobTemplate"]["spec"]["template"]
    return item["spec"]["template"]


def pod(item):
    return pod_template(item)["spec"]


def containers(item):
    if item["kind"] not in WORKLOADS:
        return []
    return [*pod(item).get("initContainers", []), *pod(item)["containers"]]
