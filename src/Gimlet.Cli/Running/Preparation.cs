using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Gimlet.Cli.Running;

/// <summary>
/// Has the methods of a type compiled before they are needed. What a command does with its first connection is some eighty methods, and each costs some 100
/// microseconds when it is first called, between the peer's first byte and the line that tells of it. The library rehearses its own part.
/// </summary>
internal static class Preparation
{
    private const BindingFlags Own = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    /// <summary>Compiles a type's methods and those of its nested types, where async methods and lambdas are. Compiled ahead of time there is nothing to do.</summary>
    /// <param name="type">The type; what is generic is left.</param>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "What was trimmed away is not called either.")]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "What was trimmed away is not called either.")]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "What was trimmed away is not called either.")]
    public static void Compile(Type type)
    {
        if (!RuntimeFeature.IsDynamicCodeCompiled || type.ContainsGenericParameters)
        {
            return;
        }

        foreach (MethodBase method in type.GetMethods(Own).Concat<MethodBase>(type.GetConstructors(Own)))
        {
            if (!method.IsAbstract && !method.ContainsGenericParameters)
            {
                RuntimeHelpers.PrepareMethod(method.MethodHandle);
            }
        }

        foreach (Type nested in type.GetNestedTypes(BindingFlags.Public | BindingFlags.NonPublic))
        {
            Compile(nested);
        }
    }
}
